"""The notebooks stand beside the package, not in docs/: this hook of mkdocs brings them into the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

_NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def on_config(config: Any) -> Any:
    """Every notebook in the menu, in the order of their numbers."""
    pages = [{_title(path): f"notebooks/{path.name}"} for path in sorted(_NOTEBOOKS.glob("*.ipynb"))]
    config.nav = [{"Notebooks": pages} if "Notebooks" in entry else entry for entry in config.nav]
    return config


def _title(path: Path) -> str:
    return path.stem.split("_", 1)[-1].replace("_", " ").capitalize()


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: Any) -> Files:
    """As if they lay in docs/notebooks."""
    for path in sorted(_NOTEBOOKS.glob("*.ipynb")):
        files.append(File(f"notebooks/{path.name}", str(_NOTEBOOKS.parent), config.site_dir, config.use_directory_urls))
    return files
