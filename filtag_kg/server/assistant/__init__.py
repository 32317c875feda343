"""A KG for assistants: tools that answer from the graph, in the Model Context Protocol.

The worker's half (`rows`, `views`, `pictures`) finds the answers, within the limits of time and memory. The server's
half says which tools there are, checks what they are given, and words what they answer.
"""
