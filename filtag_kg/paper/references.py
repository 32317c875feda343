"""The works that a methods text cites, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_ENTRIES = r"""
@inproceedings{nguyen2022filtag,
  author    = {Nguyen, Anna and Hagenmayer, Daniel and Weller, Tobias and F{\"a}rber, Michael},
  title     = {Explaining Convolutional Neural Networks by Tagging Filters},
  booktitle = {Proceedings of the {CIKM} 2022 Workshops ({AIMLAI})},
  series    = {{CEUR} Workshop Proceedings},
  volume    = {3318},
  year      = {2022},
  url       = {https://ceur-ws.org/Vol-3318/short21.pdf},
  eprint    = {2109.09389},
  eprinttype = {arXiv},
}

@article{miller1995wordnet,
  author  = {Miller, George A.},
  title   = {{WordNet}: A Lexical Database for {English}},
  journal = {Communications of the ACM},
  volume  = {38},
  number  = {11},
  pages   = {39--41},
  year    = {1995},
  doi     = {10.1145/219717.219748},
}

@inproceedings{speer2017conceptnet,
  author    = {Speer, Robyn and Chin, Joshua and Havasi, Catherine},
  title     = {{ConceptNet} 5.5: An Open Multilingual Graph of General Knowledge},
  booktitle = {Proceedings of the Thirty-First {AAAI} Conference on Artificial Intelligence},
  pages     = {4444--4451},
  year      = {2017},
  doi       = {10.1609/aaai.v31i1.11164},
}

@article{rivals2007enrichment,
  author  = {Rivals, Isabelle and Personnaz, L{\'e}on and Taing, Lieng and Potier, Marie-Claude},
  title   = {Enrichment or Depletion of a {GO} Category within a Class of Genes: Which Test?},
  journal = {Bioinformatics},
  volume  = {23},
  number  = {4},
  pages   = {401--407},
  year    = {2007},
  doi     = {10.1093/bioinformatics/btl633},
}

@book{westfall1993resampling,
  author    = {Westfall, Peter H. and Young, S. Stanley},
  title     = {Resampling-Based Multiple Testing: Examples and Methods for $p$-Value Adjustment},
  publisher = {Wiley},
  year      = {1993},
}

@article{phipson2010permutation,
  author  = {Phipson, Belinda and Smyth, Gordon K.},
  title   = {Permutation $P$-values Should Never Be Zero: Calculating Exact $P$-values When Permutations Are Randomly
             Drawn},
  journal = {Statistical Applications in Genetics and Molecular Biology},
  volume  = {9},
  number  = {1},
  pages   = {39},
  year    = {2010},
  doi     = {10.2202/1544-6115.1585},
}

@article{benjamini1995controlling,
  author  = {Benjamini, Yoav and Hochberg, Yosef},
  title   = {Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple Testing},
  journal = {Journal of the Royal Statistical Society: Series B},
  volume  = {57},
  number  = {1},
  pages   = {289--300},
  year    = {1995},
}

@inproceedings{resnik1995using,
  author    = {Resnik, Philip},
  title     = {Using Information Content to Evaluate Semantic Similarity in a Taxonomy},
  booktitle = {Proceedings of the 14th International Joint Conference on Artificial Intelligence ({IJCAI})},
  pages     = {448--453},
  year      = {1995},
}

@article{wilson1927probable,
  author  = {Wilson, Edwin B.},
  title   = {Probable Inference, the Law of Succession, and Statistical Inference},
  journal = {Journal of the American Statistical Association},
  volume  = {22},
  number  = {158},
  pages   = {209--212},
  year    = {1927},
}

@article{hanley1982meaning,
  author  = {Hanley, James A. and McNeil, Barbara J.},
  title   = {The Meaning and Use of the Area under a Receiver Operating Characteristic ({ROC}) Curve},
  journal = {Radiology},
  volume  = {143},
  number  = {1},
  pages   = {29--36},
  year    = {1982},
}

@inproceedings{mcsherry2008computing,
  author    = {McSherry, Frank and Najork, Marc},
  title     = {Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores},
  booktitle = {Advances in Information Retrieval ({ECIR})},
  series    = {Lecture Notes in Computer Science},
  volume    = {4956},
  pages     = {414--421},
  year      = {2008},
}

@book{efron1993introduction,
  author    = {Efron, Bradley and Tibshirani, Robert J.},
  title     = {An Introduction to the Bootstrap},
  publisher = {Chapman \& Hall},
  year      = {1993},
}

@book{davison1997bootstrap,
  author    = {Davison, Anthony C. and Hinkley, David V.},
  title     = {Bootstrap Methods and their Application},
  publisher = {Cambridge University Press},
  year      = {1997},
}

@techreport{mccarthy1985bootstrap,
  author      = {McCarthy, Philip J. and Snowden, Cecelia B.},
  title       = {The Bootstrap and Finite Population Sampling},
  institution = {National Center for Health Statistics},
  type        = {Vital and Health Statistics, Series 2},
  number      = {95},
  year        = {1985},
}

@article{bonett2000sample,
  author  = {Bonett, Douglas G. and Wright, Thomas A.},
  title   = {Sample Size Requirements for Estimating {Pearson}, {Kendall} and {Spearman} Correlations},
  journal = {Psychometrika},
  volume  = {65},
  number  = {1},
  pages   = {23--28},
  year    = {2000},
}

@article{russakovsky2015imagenet,
  author  = {Russakovsky, Olga and Deng, Jia and Su, Hao and Krause, Jonathan and Satheesh, Sanjeev and Ma, Sean and
             Huang, Zhiheng and Karpathy, Andrej and Khosla, Aditya and Bernstein, Michael and Berg, Alexander C. and
             Fei-Fei, Li},
  title   = {{ImageNet} Large Scale Visual Recognition Challenge},
  journal = {International Journal of Computer Vision},
  volume  = {115},
  number  = {3},
  pages   = {211--252},
  year    = {2015},
}

@inproceedings{tan2019efficientnet,
  author    = {Tan, Mingxing and Le, Quoc V.},
  title     = {{EfficientNet}: Rethinking Model Scaling for Convolutional Neural Networks},
  booktitle = {Proceedings of the 36th International Conference on Machine Learning ({ICML})},
  pages     = {6105--6114},
  year      = {2019},
}

@inproceedings{simonyan2015very,
  author    = {Simonyan, Karen and Zisserman, Andrew},
  title     = {Very Deep Convolutional Networks for Large-Scale Image Recognition},
  booktitle = {International Conference on Learning Representations ({ICLR})},
  year      = {2015},
}

@inproceedings{he2016deep,
  author    = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  title     = {Deep Residual Learning for Image Recognition},
  booktitle = {{IEEE} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {770--778},
  year      = {2016},
}

@inproceedings{he2016identity,
  author    = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  title     = {Identity Mappings in Deep Residual Networks},
  booktitle = {European Conference on Computer Vision ({ECCV})},
  pages     = {630--645},
  year      = {2016},
}

@misc{howard2017mobilenets,
  author     = {Howard, Andrew G. and Zhu, Menglong and Chen, Bo and Kalenichenko, Dmitry and Wang, Weijun and
                Weyand, Tobias and Andreetto, Marco and Adam, Hartwig},
  title      = {{MobileNets}: Efficient Convolutional Neural Networks for Mobile Vision Applications},
  year       = {2017},
  eprint     = {1704.04861},
  eprinttype = {arXiv},
}

@inproceedings{sandler2018mobilenetv2,
  author    = {Sandler, Mark and Howard, Andrew and Zhu, Menglong and Zhmoginov, Andrey and Chen, Liang-Chieh},
  title     = {{MobileNetV2}: Inverted Residuals and Linear Bottlenecks},
  booktitle = {{IEEE/CVF} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {4510--4520},
  year      = {2018},
}

@inproceedings{howard2019searching,
  author    = {Howard, Andrew and Sandler, Mark and Chen, Bo and Wang, Weijun and Chen, Liang-Chieh and Tan, Mingxing
               and Chu, Grace and Vasudevan, Vijay and Zhu, Yukun and Pang, Ruoming and Adam, Hartwig and Le, Quoc},
  title     = {Searching for {MobileNetV3}},
  booktitle = {{IEEE/CVF} International Conference on Computer Vision ({ICCV})},
  pages     = {1314--1324},
  year      = {2019},
}

@inproceedings{huang2017densely,
  author    = {Huang, Gao and Liu, Zhuang and van der Maaten, Laurens and Weinberger, Kilian Q.},
  title     = {Densely Connected Convolutional Networks},
  booktitle = {{IEEE} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {4700--4708},
  year      = {2017},
}

@inproceedings{szegedy2016rethinking,
  author    = {Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and Shlens, Jonathon and Wojna, Zbigniew},
  title     = {Rethinking the Inception Architecture for Computer Vision},
  booktitle = {{IEEE} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {2818--2826},
  year      = {2016},
}

@inproceedings{szegedy2017inception,
  author    = {Szegedy, Christian and Ioffe, Sergey and Vanhoucke, Vincent and Alemi, Alexander},
  title     = {{Inception-v4}, {Inception-ResNet} and the Impact of Residual Connections on Learning},
  booktitle = {Proceedings of the Thirty-First {AAAI} Conference on Artificial Intelligence},
  pages     = {4278--4284},
  year      = {2017},
}

@inproceedings{chollet2017xception,
  author    = {Chollet, Fran{\c{c}}ois},
  title     = {Xception: Deep Learning with Depthwise Separable Convolutions},
  booktitle = {{IEEE} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {1251--1258},
  year      = {2017},
}

@inproceedings{liu2022convnet,
  author    = {Liu, Zhuang and Mao, Hanzi and Wu, Chao-Yuan and Feichtenhofer, Christoph and Darrell, Trevor and
               Xie, Saining},
  title     = {A {ConvNet} for the 2020s},
  booktitle = {{IEEE/CVF} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {11976--11986},
  year      = {2022},
}

@inproceedings{bau2017network,
  author    = {Bau, David and Zhou, Bolei and Khosla, Aditya and Oliva, Aude and Torralba, Antonio},
  title     = {Network Dissection: Quantifying Interpretability of Deep Visual Representations},
  booktitle = {{IEEE} Conference on Computer Vision and Pattern Recognition ({CVPR})},
  pages     = {6541--6549},
  year      = {2017},
}

@inproceedings{oikarinen2023clip,
  author    = {Oikarinen, Tuomas and Weng, Tsui-Wei},
  title     = {{CLIP-Dissect}: Automatic Description of Neuron Representations in Deep Vision Networks},
  booktitle = {International Conference on Learning Representations ({ICLR})},
  year      = {2023},
}

@inproceedings{hernandez2022natural,
  author    = {Hernandez, Evan and Schwettmann, Sarah and Bau, David and Bagashvili, Teona and Torralba, Antonio and
               Andreas, Jacob},
  title     = {Natural Language Descriptions of Deep Visual Features},
  booktitle = {International Conference on Learning Representations ({ICLR})},
  year      = {2022},
}

@inproceedings{bykov2023labeling,
  author    = {Bykov, Kirill and Kopf, Laura and Nakajima, Shinichi and Kloft, Marius and H{\"o}hne, Marina M.-C.},
  title     = {Labeling Neural Representations with Inverse Recognition},
  booktitle = {Advances in Neural Information Processing Systems ({NeurIPS})},
  year      = {2023},
}

@inproceedings{kalibhat2023identifying,
  author    = {Kalibhat, Neha and Bhardwaj, Shweta and Bruss, C. Bayan and Firooz, Hamed and Sanjabi, Maziar and
               Feizi, Soheil},
  title     = {Identifying Interpretable Subspaces in Image Representations},
  booktitle = {Proceedings of the 40th International Conference on Machine Learning ({ICML})},
  year      = {2023},
}

@article{hohman2020summit,
  author  = {Hohman, Fred and Park, Haekyu and Robinson, Caleb and Chau, Duen Horng},
  title   = {Summit: Scaling Deep Learning Interpretability by Visualizing Activation and Attribution Summarizations},
  journal = {{IEEE} Transactions on Visualization and Computer Graphics},
  volume  = {26},
  number  = {1},
  pages   = {1096--1106},
  year    = {2020},
}
"""

ENTRIES: Mapping[str, str] = {
    match[1]: match[0].strip() for match in re.finditer(r"^@\w+\{(\w+),\n.*?^\}", _ENTRIES, re.MULTILINE | re.DOTALL)
}
"""BibTeX by key."""

FILTAG_KG = "filtagkg"

_NETWORKS = (
    (r"efficientnet", "tan2019efficientnet"),
    (r"vgg\d", "simonyan2015very"),
    (r"resnet\d+v2", "he2016identity"),
    (r"resnet\d+(?!v2)", "he2016deep"),
    (r"mobilenet_?v3", "howard2019searching"),
    (r"mobilenet_?v2", "sandler2018mobilenetv2"),
    (r"mobilenet", "howard2017mobilenets"),
    (r"densenet", "huang2017densely"),
    (r"inception_?resnet", "szegedy2017inception"),
    (r"inception_?v3", "szegedy2016rethinking"),
    (r"xception", "chollet2017xception"),
    (r"convnext", "liu2022convnet"),
)
_METHODS = {
    "filtag": "nguyen2022filtag",
    "netdissect": "bau2017network",
    "clip-dissect": "oikarinen2023clip",
    "milan": "hernandez2022natural",
    "invert": "bykov2023labeling",
    "falcon": "kalibhat2023identifying",
    "summit": "hohman2020summit",
}


def network_key(name: str) -> str | None:
    """Return the key of the work that describes a network with a name of its own; None if it is not known.

    >>> network_key("resnet50v2"), network_key("my-network")
    ('he2016identity', None)
    """
    # A library's prefix, as in torchvision:resnet18.
    plain = name.rpartition(":")[2].lower()
    return next((key for pattern, key in _NETWORKS if re.match(pattern, plain)), None)


def method_key(name: str) -> str | None:
    """Return the key of the work that describes a method of labelling filters; None if it is not known."""
    return _METHODS.get(name)


def bibliography(keys: Iterable[str], version: str) -> str:
    """Return the BibTeX of the works cited, by key.

    Parameters
    ----------
    version : str
        Of FilTag-KG; empty if it is not known.
    """
    software = [
        f"@misc{{{FILTAG_KG},",
        "  author  = {{The FilTag-KG authors}},",
        "  title   = {{FilTag-KG}: Filters of Convolutional Neural Networks, Explained as a Knowledge Graph},",
        *([f"  version = {{{version}}},"] if version else []),
        "  url     = {https://w3id.org/filtag/},",
        "}",
    ]
    entries = {**ENTRIES, FILTAG_KG: "\n".join(software)}
    return "\n\n".join(entries[key] for key in sorted(set(keys))) + "\n"
