"""The how-tos are run: their files are written into a small project, their commands run there, and what both say is compared.

A page marks what is meant for that, with a comment above a code block: `<!-- file: PATH -->` for a file of the project, and
`<!-- run -->` for commands.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import Project

ROOT = Path(__file__).parent.parent
HOWTOS = ROOT / "docs" / "how-to"
MARKED = re.compile(r"^( *)<!-- (?:file: (\S+)|run) -->\n\1```\w+\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A marked code block: a file, if it has a path, else commands."""

    path: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    for _, path, text in MARKED.findall((HOWTOS / page).read_text("utf-8")):
        yield Block(path=path, text=textwrap.dedent(text))


def files(page: str) -> dict[str, str]:
    return {block.path: block.text for block in blocks(page) if block.path}


def shell(project: Project, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run commands as a person or a CI job does, where `monopack` is on the path."""
    folder = project.root.parent / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "monopack"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m monopack "$@"\n')
    command.chmod(0o755)
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("MONOPACK_", "PYTHON", "VIRTUAL_ENV", "PIP_", "UV_"))}
    environ |= {"MONOPACK_CACHE_DIR": str(project.cache), "PATH": f"{folder}:{environ['PATH']}", **variables}
    argv = ["bash", "-e", "-c", script]
    return subprocess.run(argv, cwd=project.root, env=environ, capture_output=True, text=True, check=False)


class Templates(yaml.SafeLoader):
    """YAML with CloudFormation's own tags (`!Ref x`), which are of no interest here."""

    def tagged(self, tag: str, node: yaml.Node) -> str:
        return f"!{tag} {node.value}"


Templates.add_multi_constructor("!", Templates.tagged)


def parsed(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, Loader=Templates)
    return loaded


def code_sha256(project: Project, name: str) -> str:
    """What AWS Lambda calls a zip."""
    return base64.b64encode(hashlib.sha256(project.output(name)).digest()).decode()


# ---------------------------------------------------------------- every page


def run_page(page: str, project: Project) -> None:
    """Write a page's files into a project, and run its commands there."""
    project.write(files(page))
    for block in blocks(page):
        if not block.path:
            done = shell(project, block.text)
            assert done.returncode == 0, done.stderr


PAGES = sorted(path.name for path in HOWTOS.glob("*.md") if any(not block.path for block in blocks(path.name)))
FROM_OLDER = "from-monopack-0.4.md"


@pytest.mark.parametrize("page", [page for page in PAGES if page != FROM_OLDER])
def test_commands_of_a_page_run(page: str, shop: Project) -> None:
    run_page(page, shop)
    assert {"orders.zip", "users.zip"} <= set(shop.outputs())


@pytest.mark.parametrize("path", [*HOWTOS.glob("*.md")], ids=lambda path: path.name)
def test_every_mark_of_a_page_is_understood(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(MARKED.findall(text)) == len(re.findall(r"<!-- ", text))


# ---------------------------------------------------------------- moving over


def test_what_monopack_0_4_left_is_not_overwritten_and_its_blocks_are_read(shop: Project) -> None:
    shop.write({**files(FROM_OLDER), "app/audit.py": "", "build/users/_monopack_verify.txt": "", "build/users.zip": ""})
    said = textwrap.dedent(re.findall(r"```text\n(.*?)```", (HOWTOS / FROM_OLDER).read_text("utf-8"), re.DOTALL)[0]).strip()
    assert said in shop.run("users").stderr.replace(f"{shop.root}/", "")
    run_page(FROM_OLDER, shop)
    assert "app/audit.py" in shop.shipped("users")


def test_serverless_handlers_get_their_packs(project: Project) -> None:
    handler = (
        "try:\n    import unzip_requirements\nexcept ImportError:\n    pass\n\n\ndef handler(event, context):\n    return event\n"
    )
    for name in ("orders", "users"):
        project.write({f"functions/{name}/handler.py": handler})
    run_page("from-serverless-python-requirements.md", project)
    assert project.shipped("users") == {"packs/users.py", "functions/users/handler.py"}
    for function in parsed(files("from-serverless-python-requirements.md")["serverless.yml"])["functions"].values():
        assert function["handler"] in project.build("list").stdout


# ---------------------------------------------------------------- GitHub Actions


EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


def steps(job: Mapping[str, Any], values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables and the commands of a job; monopack is installed already. An unknown `${{ }}` is a KeyError."""
    fill = {name: EXPRESSION.sub(lambda found: values[found[1]], value) for name, value in job.get("env", {}).items()}
    return fill, [step["run"] for step in job["steps"] if "run" in step and "pip install" not in step["run"]]


def uploads(job: Mapping[str, Any]) -> list[str]:
    return [line for step in job["steps"] if "upload" in step.get("uses", "") for line in step["with"]["path"].split()]


def test_one_job_builds_all_packs_and_caches_what_it_needs(shop: Project) -> None:
    job = parsed(files("github-actions.md")[".github/workflows/packs.yml"])["jobs"]["packs"]
    variables, commands = steps(job, {"github.workspace": str(shop.root)})
    for command in commands:
        done = shell(shop, command, **variables)
        assert done.returncode == 0, done.stderr
    (cache,) = [step["with"] for step in job["steps"] if "cache" in step.get("uses", "")]
    assert list((shop.root / cache["path"]).rglob("*.whl")), "what is cached is the store, and cleaning left it"
    for pattern in uploads(job):
        assert list(shop.root.glob(pattern)), pattern


def test_the_matrix_has_a_job_for_each_pack(shop: Project) -> None:
    jobs = parsed(files("github-actions.md")[".github/workflows/pack.yml"])["jobs"]
    _, (command,) = steps(jobs["list"], {})
    output = shop.root / "github-output"
    assert shell(shop, command, GITHUB_OUTPUT=str(output)).returncode == 0
    head, *lines, end = output.read_text().splitlines()
    assert (head, end) == ("found<<END_OF_LIST", "END_OF_LIST")
    for pack in json.loads("\n".join(lines))["packs"]:
        values = {"github.workspace": str(shop.root), "matrix.pack.name": pack["name"]}
        variables, commands = steps(jobs["pack"], values)
        for each in commands:
            done = shell(shop, each, **variables)
            assert done.returncode == 0, done.stderr
    assert {path.name for path in (shop.root / "build").glob("*.zip")} == {"orders.zip", "users.zip"}


def test_a_project_that_cannot_be_listed_fails_the_job(shop: Project) -> None:
    _, (command,) = steps(parsed(files("github-actions.md")[".github/workflows/pack.yml"])["jobs"]["list"], {})
    shop.write({"monopack.toml": "jbos = 3\n"})
    assert shell(shop, command, GITHUB_OUTPUT=str(shop.root / "github-output")).returncode == 2


def test_the_matrix_has_a_job_for_each_pack_that_a_change_touches(shop: Project) -> None:
    jobs = parsed(files("github-actions.md")[".github/workflows/touched.yml"])["jobs"]
    variables, (command,) = steps(jobs["affected"], {"github.base_ref": "main"})
    author = "git -c user.name=a -c user.email=a@example"
    begin = f"git init -q && git add . && {author} commit -qm a && git update-ref refs/remotes/origin/main HEAD"
    assert shell(shop, begin).returncode == 0
    shop.write({"app/orders.py": "from app import common\n"})
    assert shell(shop, f"git add . && {author} commit -qm b").returncode == 0
    output = shop.root.parent / "github-output"
    assert shell(shop, command, GITHUB_OUTPUT=str(output), **variables).returncode == 0
    head, *lines, end = output.read_text().splitlines()
    assert (head, end) == ("found<<END_OF_LIST", "END_OF_LIST")
    (pack,) = json.loads("\n".join(lines))["packs"]
    variables, (built,) = steps(jobs["pack"], {"github.workspace": str(shop.root), "matrix.pack.name": pack["name"]})
    assert shell(shop, built, **variables).returncode == 0
    assert [path.name for path in (shop.root / "build").glob("*.zip")] == ["orders.zip"]
    (checkout,) = [step["with"] for step in jobs["affected"]["steps"] if "checkout" in step.get("uses", "")]
    assert checkout == {"fetch-depth": 0}, "the history is needed"


# ---------------------------------------------------------------- deploying


def deployed(page: str) -> Iterator[tuple[str, str]]:
    """The handlers that the templates of a page deploy, with their zips or folders."""
    for name, text in files(page).items():
        if name.endswith((".yaml", ".yml")):
            yield from _deployed(parsed(text))


def _deployed(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for resource in template.get("Resources", {}).values():
        if resource["Type"] == "AWS::Serverless::Function":
            yield resource["Properties"]["Handler"], resource["Properties"]["CodeUri"]
    for function in template.get("functions", {}).values():
        yield function["handler"], function["package"]["artifact"]


@pytest.mark.parametrize("page", ["aws-sam.md", "from-serverless-python-requirements.md"])
def test_templates_name_handlers_and_zips_that_there_are(page: str, shop: Project) -> None:
    shop.build()
    handlers = {shop.manifest(pack)["handler"] for pack in ("orders", "users")}
    found = list(deployed(page))
    assert {handler for handler, _ in found} == handlers
    for handler, path in found:
        assert (shop.root / path).exists(), path
        assert path.removeprefix("build/").removesuffix(".zip") == handler.split(".")[1]


def test_the_digest_that_terraform_reads_is_the_one_that_lambda_computes(shop: Project) -> None:
    text = files("terraform.md")["main.tf"]
    shop.build("--sha-output", "hex,b64")
    (zipped,) = re.findall(r'filename +=\s+"\$\{path\.module\}/build/(.*?)"', text)
    (digest,) = re.findall(r'source_code_hash = trimspace\(file\("\$\{path\.module\}/build/(.*?)"\)\)', text)
    assert shop.output(digest).decode().strip() == code_sha256(shop, zipped)
    assert f'"{shop.manifest("users")["handler"]}"' in text


def test_terraform_finds_every_pack_and_its_digest(shop: Project) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("there is no terraform on PATH")
    shop.build("--sha-output", "hex,b64")
    (command,) = re.findall(r"^echo .* \| terraform console$", (HOWTOS / "terraform.md").read_text("utf-8"), re.MULTILINE)
    assert shell(shop, command).stdout == "true\n"
    (shop.root / "all.tf").write_text(files("terraform.md")["all.tf"].partition("resource")[0])  # resources need a provider
    ask = """jsonencode({for name, pack in local.packs : name => [
        "build/${pack.artifact.file}", pack.handler, trimspace(file("build/${name}.package.sha256.b64"))]})"""
    done = subprocess.run(
        ["terraform", "console"], cwd=shop.root, input=" ".join(ask.split()), capture_output=True, text=True, check=True
    )
    assert json.loads(json.loads(done.stdout)) == {
        pack: [f"build/{pack}.zip", f"packs.{pack}.lambda_handler", code_sha256(shop, f"{pack}.zip")]
        for pack in ("orders", "users")
    }


@pytest.mark.parametrize("page", ["aws-cdk.md"])
def test_python_of_a_page_can_be_parsed(page: str) -> None:
    for name, text in files(page).items():
        compile(text, name, "exec")


# ---------------------------------------------------------------- pre-commit


def hooks() -> dict[str, str]:
    """The commands that pre-commit would run, by the ids of the hooks."""
    (repo,) = parsed(files("pre-commit.md")[".pre-commit-config.yaml"])["repos"]
    return {hook["id"]: hook["entry"] for hook in repo["hooks"]}


@pytest.mark.parametrize(
    ("broken", "failing"),
    [
        ({}, set()),
        ({"monopack.toml": "jbos = 3\n"}, {"monopack-config", "monopack-list"}),
        ({"packs/users.py": "# monopack-start\n# extra = 1\n# monopack-end\n"}, {"monopack-config", "monopack-list"}),
        ({"app/users.py": "import app.stor\n"}, {"monopack-list"}),
        ({"app/users.py": "import nowhere\n"}, {"monopack-list"}),
    ],
    ids=["sound", "option", "managed block", "misspelled import", "unpinned import"],
)
def test_hooks_find_what_the_page_says(broken: dict[str, str], failing: set[str], shop: Project) -> None:
    shop.write(broken)
    assert {name for name, entry in hooks().items() if shell(shop, entry).returncode} == failing


def test_the_hook_of_this_repository_is_the_one_of_the_page() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["entry"] == hooks()[hook["id"]]
    assert (hook["language"], hook["always_run"], hook["pass_filenames"]) == ("python", True, False)
