"""What `realedit` exports, and what it costs to import."""

import inspect
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import alignment
import checkpoints
import inversion
import realedit
import realedit.api
import realedit.drag
import realedit.photos
import realedit.recipes

ROOT = Path(__file__).parents[3]
LAZY = (alignment, checkpoints, inversion, realedit.api, realedit.drag, realedit.photos, realedit.recipes)


def test_the_exported_names_are_sorted_there_and_described() -> None:
    assert realedit.__all__ == sorted(realedit.__all__)
    assert {name for name in realedit.__all__ if name[0] != "_" and name[-5:] != "Error"} < set(
        realedit.api.__all__
    )
    for name in realedit.__all__:
        found = getattr(realedit, name)
        if name == "__version__":
            continue
        assert inspect.getdoc(found), f"{name} has no docstring"
        members = inspect.getmembers(found) if inspect.isclass(found) else []
        for member, value in members:
            ours = str(getattr(value, "__module__", "realedit")).startswith("realedit")
            if not member.startswith("_") and ours and (callable(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{member} has no docstring"


@pytest.mark.parametrize("package", LAZY, ids=lambda each: each.__name__)
def test_lazy_names_are_those_of_the_list(package: object) -> None:
    homes = vars(package)["_HOMES"]
    named = sorted(name for names in homes.values() for name in names.split())
    listed = vars(package)["__all__"]
    assert sorted(set(listed) - {"ALGORITHM"}) == named and len(set(named)) == len(named)
    for name in listed:
        getattr(package, name)
    assert set(listed) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]


def test_no_submodule_hides_an_exported_name() -> None:
    for module in (realedit, *LAZY):
        folder = Path(str(module.__file__)).parent
        beneath = {path.stem for path in folder.glob("*.py")} | {
            path.parent.name for path in folder.glob("*/__init__.py")
        }
        assert not beneath & set(module.__all__), module.__name__


def test_the_packages_say_that_they_are_typed() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        packages = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for package in packages:
        assert (files(package) / "py.typed").is_file(), package


def _modules_after(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after `code`."""
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(said.stdout.split())


HEAVY = ("torch", "torchvision", "cv2", "dlib", "PIL", "lpips", "imagecodecs", "pillow_heif", "rich")


def test_importing_realedit_and_its_errors_loads_nothing_heavy() -> None:
    loaded = _modules_after("import realedit, realedit.errors; realedit.NoFaceError, realedit.__version__")
    assert not loaded & {*HEAVY, "numpy"}


def test_opening_a_photo_needs_no_torch_and_no_dlib() -> None:
    loaded = _modules_after("import realedit; realedit.open, realedit.recipe_names()")
    assert not loaded & {"torch", "dlib", "lpips", "torchvision"}


def test_dragging_inverting_and_checkpoints_need_no_dlib() -> None:
    code = """
        import sys
        sys.modules["dlib"] = None
        import checkpoints, inversion, realedit.drag
        for package in (checkpoints, inversion, realedit.drag):
            for name in package.__all__:
                getattr(package, name)
        try:
            import dlib
        except ImportError:
            pass
        else:
            raise AssertionError("dlib is there")
    """
    subprocess.run([sys.executable, "-c", inspect.cleandoc(code)], cwd=ROOT, check=True)
