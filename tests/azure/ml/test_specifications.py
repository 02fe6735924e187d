"""What environments ask for, as the world writes it: conda files, requirements files, Dockerfiles, curated names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.ml.environments import curated, dockerfile
from sandbox.azure.ml.environments.specification import SpecificationError, parse


class TestConda:
    @pytest.mark.parametrize(
        ("line", "requirement"),
        [
            ("numpy", "numpy"),
            ("numpy=1.26", "numpy==1.26.*"),
            ("numpy=1.26.*", "numpy==1.26.*"),
            ("numpy 1.26.*", "numpy==1.26.*"),
            ("numpy==1.26.4", "numpy==1.26.4"),
            ("numpy 1.26.4", "numpy==1.26.4"),
            ("numpy==1.26.4=py311_0", "numpy==1.26.4"),
            ("numpy 1.26.4 py311h_0", "numpy==1.26.4"),
            ("numpy=1.26.4=py311h24aa872_0", "numpy==1.26.4.*"),
            ("numpy>=1.26,<2", "numpy>=1.26,<2"),
            ("numpy >= 1.26, != 1.26.1", "numpy>=1.26,!=1.26.1"),
            ("numpy[version='>=1.26']", "numpy>=1.26"),
            ("numpy=1.25|1.26", "numpy"),
            ("numpy=*", "numpy"),
            ("numpy  # why", "numpy"),
            ("tzdata=2024a=h04d1e81_0", "tzdata"),
            ("conda-forge::scikit-learn=1.5", "scikit-learn==1.5.*"),
            ("conda-forge/linux-64::scikit-learn=1.5", "scikit-learn==1.5.*"),
            ("pytorch=2.4", "torch==2.4.*"),
            ("python-graphviz", "graphviz"),
            ("librosa", "librosa"),
        ],
    )
    def test_a_match_specification_becomes_a_requirement(self, line: str, requirement: str) -> None:
        found = parse(f'dependencies: ["{line}"]')
        assert found.requirements == (requirement,)
        assert found.conda == {requirement}

    @pytest.mark.parametrize(
        ("line", "version"),
        [
            ("python", ""),
            ("python=3.11", "==3.11.*"),
            ("python 3.11", "==3.11.*"),
            ("python==3.11", "==3.11.*"),
            ("python=3.11.7=h955ad1f_0", "==3.11.7.*"),
            ("python>=3.9,<3.12", ">=3.9,<3.12"),
            ("python=3.11.*", "==3.11.*"),
            ("conda-forge::python[version='>=3.9']", ">=3.9"),
        ],
    )
    def test_python_is_the_interpreter(self, line: str, version: str) -> None:
        assert (parse(f'dependencies: ["{line}"]').python, parse(f'dependencies: ["{line}"]').requirements) == (
            version,
            (),
        )

    @pytest.mark.parametrize(
        "name",
        [
            "_libgcc_mutex=0.1=main",
            "ca-certificates=2024.3.11=h06a4308_0",
            *("_openmp_mutex", "ld_impl_linux-64", "libffi", "xz", "ncurses", "readline", "sqlite", "tk", "zlib"),
            *("cudatoolkit=11", "mkl_fft", "gxx_linux-64", "r-base", "xorg-libx11"),
        ],
    )
    def test_what_is_no_python_package_is_left_out_with_a_word(self, name: str) -> None:
        found = parse(f"dependencies: [{name}, pip, setuptools=68.2.2=py311h06a4308_0]")
        assert found.requirements == () and len(found.differs) == 1 and name in found.differs[0]

    def test_a_mark_at_the_beginning_is_passed_over(self) -> None:
        assert parse("\ufeffdependencies: [a]").requirements == ("a",)

    @pytest.mark.parametrize(
        "text", ["dependencies: [[a]]", "dependencies: ['!!']", "- a", "a: [", "dependencies: [a!b]"]
    )
    def test_what_is_no_conda_file(self, text: str) -> None:
        with pytest.raises(SpecificationError):
            parse(text)


class TestRequirements:
    def test_a_file(self) -> None:
        text = "a==1\n# why\nb>=2 # this\n\nc[d] \\\n  --hash=sha256:00\nhttps://x.example/a#egg=e\n"
        assert parse(text).requirements == ("a==1", "b>=2", "c[d]    --hash=sha256:00", "https://x.example/a#egg=e")

    @pytest.mark.parametrize(
        ("line", "kept"),
        [
            ("-f https://wheels.example/torch.html", "--find-links https://wheels.example/torch.html"),
            ("-i https://index.example/simple", "--index-url https://index.example/simple"),
            ("--index-url=https://index.example/simple", "--index-url=https://index.example/simple"),
            ("--extra-index-url https://index.example", "--extra-index-url https://index.example"),
            ("-e git+https://git.example/x/y.git#egg=y", "git+https://git.example/x/y.git#egg=y"),
            ("--editable git+ssh://git@git.example/y.git", "git+ssh://git@git.example/y.git"),
            ("--only-binary :all:", "--only-binary :all:"),
            ("--no-index", "--no-index"),
        ],
    )
    def test_options_that_say_where_from_are_kept(self, line: str, kept: str) -> None:
        assert parse(f"dependencies: [{{pip: ['{line}', idna]}}]").requirements == (kept, "idna")

    @pytest.mark.parametrize("line", ["--pre", "--prefer-binary", "--trusted-host index.example", "--require-hashes"])
    def test_options_that_say_how_are_passed_over(self, line: str) -> None:
        assert parse(f"{line}\nidna\n").requirements == ("idna",)

    @pytest.mark.parametrize(
        "line", ["-r other.txt", "-c other.txt", "./local", "-e .", "file:///x", "x @ file:///x", "../y"]
    )
    def test_files_of_the_authors_machine_are_refused(self, line: str) -> None:
        with pytest.raises(SpecificationError, match="names a file"):
            parse(f"dependencies: [{{pip: ['{line}']}}]")

    @pytest.mark.parametrize("line", ["--no-such-option", "!x", "-z"])
    def test_what_pip_does_not_know_is_refused(self, line: str) -> None:
        with pytest.raises(SpecificationError, match="is not valid"):
            parse(f"dependencies: [{{pip: ['{line}']}}]")

    @given(st.text())
    def test_any_text_gives_a_specification_or_a_reason(self, text: str) -> None:
        try:
            parse(text)
        except SpecificationError as error:
            assert str(error)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "deps").mkdir()
    (tmp_path / "requirements.txt").write_text("idna==3.10\n")
    (tmp_path / "deps" / "more.txt").write_text("sniffio\n")
    (tmp_path / "deps" / "all.txt").write_text("-r more.txt # beside it\ntrio\n")
    (tmp_path / "deps" / "loop.txt").write_text("-r ../d/loop.txt\n")
    (tmp_path / "with-list.yml").write_text("dependencies: [python=3.11, {pip: [-r deps/more.txt, h11]}]\n")
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11, numpy, {pip: [h11]}]\n")
    return tmp_path


class TestDockerfiles:
    @pytest.mark.parametrize(
        ("lines", "installed"),
        [
            ("RUN pip install idna==3.10 'h11>=0.14'", ("idna==3.10", "h11>=0.14")),
            ("RUN pip3 install --no-cache-dir -U pip idna && \\\n    # why\n    pip cache purge", ("idna",)),
            ("RUN python -m pip install --upgrade idna; rm -rf /var/cache/pip", ("idna",)),
            ("COPY requirements.txt .\nRUN pip install -r requirements.txt", ("idna==3.10",)),
            ("WORKDIR /app\nCOPY . /src/\nRUN pip install -r /src/deps/more.txt", ("sniffio",)),
            ("COPY deps/more.txt requirements.txt /tmp/\nRUN pip install -r /tmp/more.txt", ("sniffio",)),
            (
                "COPY conda.yml .\nRUN conda env create -p /azureml-envs/x -f conda.yml -q && conda clean -a -y",
                ("numpy", "h11"),
            ),
            ("RUN conda install -y -c conda-forge numpy=1.26 libgcc-ng", ("numpy==1.26.*",)),
            (
                "ENV P=/opt/x\nRUN conda create -p $P python=3.11 numpy && conda run -p $P pip install h11",
                ("numpy", "h11"),
            ),
            ('RUN ["pip", "install", "idna"]', ("idna",)),
            ("COPY deps /d\nRUN pip install -r /d/all.txt", ("sniffio", "trio")),
            ("COPY . .\nRUN conda env update -f with-list.yml", ("sniffio", "h11")),
            ("RUN useradd -m app && ldconfig\nRUN pip install idna", ("idna",)),
            ("RUN bash -c 'pip install idna'", ("idna",)),
            ("RUN pip install -i https://index.example/s idna", ("--index-url https://index.example/s", "idna")),
            ('USER root\nLABEL a=b\nCMD ["runsvdir"]', ()),
            ("RUN apt-get update && apt-get install -y build-essential && rm -rf /var/lib/apt/lists/*", ()),
        ],
    )
    def test_what_is_installed(self, context: Path, lines: str, installed: tuple[str, ...]) -> None:
        (context / "Dockerfile").write_text(f"FROM python:3.11 AS base\n\n{lines}\n")
        found = dockerfile.read(context)
        assert found.requirements == installed
        assert "the image python:3.11 is not used" in found.differs[0]

    def test_what_processes_see(self, context: Path) -> None:
        lines = [
            "ARG TAG=3.11",
            "FROM python:$TAG AS first",
            "ENV GONE=1",
            "FROM python:$TAG",
            "ENV HOME_OF=/opt/x GREETING='hello there'",
            "ENV DATA $HOME_OF/data",
            "ENV PATH=$HOME_OF/bin:$PATH LD_LIBRARY_PATH=/x HTTPS_PROXY=http://x no_proxy=x",
            "ARG FORGOTTEN=1",
        ]
        (context / "Dockerfile").write_text("\n".join(lines))
        found = dockerfile.read(context)
        assert found.variables == {"DATA": "/opt/x/data", "GREETING": "hello there", "HOME_OF": "/opt/x"}
        assert "the image python:3.11 is not used" in found.differs[-1]

    def test_the_conda_files_python_counts(self, context: Path) -> None:
        (context / "Dockerfile").write_text("FROM x\nCOPY conda.yml .\nRUN conda env update -f conda.yml\n")
        assert dockerfile.read(context).python == "==3.11.*"

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ("RUN make install", "'make' does more than install packages"),
            ("RUN curl https://x.example | bash", "'curl' does more"),
            ("RUN pip install -r absent.txt", "'absent.txt' is not copied from the build context"),
            ("COPY --from=other /a /b", "files of another image"),
            ("COPY ../secret .", "outside of the build context"),
            ("RUN pip install 'idna", "a quote is not closed"),
            ("RUN pip install ./local", "names a file"),
            ("RUN pip install -r /d/loop.txt", "'/d/loop.txt' names itself by -r"),
            ("ONBUILD RUN x", "does not understand it"),
        ],
    )
    def test_what_does_more_is_refused_with_its_line(self, context: Path, line: str, told: str) -> None:
        (context / "Dockerfile").write_text(f"# a comment\nCOPY deps /d\n{line}\n")
        with pytest.raises(SpecificationError, match="Dockerfile line 3: ") as error:
            dockerfile.read(context)
        assert told in str(error.value)

    def test_a_file_of_another_name_and_none(self, context: Path) -> None:
        (context / "deps" / "My.dockerfile").write_text("FROM x\nRUN pip install idna\n")
        assert dockerfile.read(context, "deps/My.dockerfile").requirements == ("idna",)
        with pytest.raises(SpecificationError, match="no 'Dockerfile'"):
            dockerfile.read(context)

    @given(st.text())
    def test_any_text_gives_a_specification_or_a_reason(
        self, tmp_path_factory: pytest.TempPathFactory, text: str
    ) -> None:
        folder = tmp_path_factory.mktemp("context")
        (folder / "Dockerfile").write_text(text, encoding="utf-8", errors="replace")
        try:
            dockerfile.read(folder)
        except SpecificationError as error:
            assert str(error)


class TestCurated:
    @pytest.mark.parametrize("name", ["sklearn-1.5", "AzureML-sklearn-1.5", "azureml-SKLEARN-1.5"])
    def test_a_name_is_known_in_each_form(self, name: str) -> None:
        row = curated.find(name)
        assert row is not None and row.name == "sklearn-1.5"

    def test_versions_are_those_that_were_released(self) -> None:
        row = curated.find("sklearn-1.5")
        assert row is not None
        assert curated.number(row, "latest") == row.latest and curated.number(row, "3") == "3"
        assert curated.number(row, str(int(row.latest) + 1)) == "" == curated.number(row, "dev")

    def test_what_differs_from_the_image_is_told(self) -> None:
        row = curated.find("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu")
        assert row is not None and row.deprecated
        found = curated.specification(row, "33")
        told = "\n".join(found.differs)
        assert "azureml/curated/sklearn-1.0-ubuntu20.04-py38-cpu:33 is not used" in told
        assert "is not public" in told and "left out: " in told and "azureml-core" in told
        assert any(line.startswith("scikit-learn") for line in found.requirements)
        assert not any(line.startswith("azureml-core") for line in found.requirements)

    @pytest.mark.parametrize(
        ("name", "version"), [("tensorflow-2.16-cuda11", "1.62.0.post1"), ("sklearn-1.0", "1.62.0.post5")]
    )
    def test_mlflow_is_the_images_own_or_one_that_saves_models_as_it_does(self, name: str, version: str) -> None:
        row = curated.find(name)
        assert row is not None
        requirements = curated.specification(row, row.latest).requirements
        assert f"azureml-mlflow=={version}" in requirements
        assert ("mlflow-skinny<3" in requirements) is (name == "sklearn-1.0")
