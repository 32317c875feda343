"""Reports: pages that need nothing but a browser, with no script and no request to anywhere."""

from filtag_kg.report.errors_page import errors_page, refuse_existing, write_errors

__all__ = ["errors_page", "refuse_existing", "write_errors"]
