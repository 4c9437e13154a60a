"""Static files under names that carry a hash, also where one JavaScript module imports another."""

from __future__ import annotations

from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedModulesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the package has no types
    """Rewrites `import "./widget.js"` to the hashed name: a module is cached for ever, and never an old one loaded."""

    support_js_module_import_aggregation = True
