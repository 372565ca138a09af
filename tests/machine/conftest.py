import pytest

from tests.machine.config_files import Folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Folder(tmp_path_factory.mktemp("configs"))
