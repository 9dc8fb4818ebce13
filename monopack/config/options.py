"""All options, one field for each: the flag, variable, error messages, schema and reference are derived from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from monopack.config.kinds import (
    Accepts,
    Color,
    Compression,
    CompressionOrNone,
    Depth,
    DepthOrNone,
    Extras,
    Folder,
    FolderOrNone,
    Formats,
    Group,
    Handler,
    Jobs,
    Lists,
    Manager,
    Names,
    OnCommandLine,
    Optionals,
    ProgramOrNone,
    Roots,
    Runner,
    Sdists,
    Seconds,
    SecondsOrZero,
    Severity,
    Strings,
    Switch,
    SwitchOrNone,
    Target,
    TargetOrNone,
    Unset,
    Variables,
)


class PackOptions(BaseModel):
    """The options of one pack, from `[pack]` (defaults of every pack), `[packs.NAME]` or a managed block.

    In these tables `target`, `compression`, `verify` and `skip_tests` are None when the project-wide option decides;
    `pack_options` fills them in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    handler: Handler = Field(
        default="lambda_handler", description="The function that the pack's file must have; an empty string asks for none."
    )
    extra_modules: Names = Field(default=(), description="First-party modules to ship that no import shows, as dotted names.")
    extra_distributions: Names = Field(default=(), description="Pinned distributions to ship that no import shows.")
    exclude_distributions: Names = Field(
        default=(), description="Distributions that never ship, because the runtime has them already."
    )
    optional: Optionals = Field(
        default="rules",
        description="Which pins ship that distributions of the pack would import if they were there: those that import rules"
        " name, all (`ship`), or none (`skip`).",
    )
    include: Names = Field(default=(), description="Files to ship besides code, as glob patterns from the project root.")
    exclude: Names = Field(default=(), description="Files that never ship, as glob patterns from the project root.")
    string_imports: Switch = Field(
        default=True, description="Strings that look like a first-party module, or something in one, bring that module."
    )
    target: TargetOrNone = Field(default=None, description="As the project-wide `target`, for this pack.")
    allow_native: Names = Field(
        default=(),
        description="Compiled files that may ship although the target cannot load them, as glob patterns of paths in the pack.",
    )
    compression: CompressionOrNone = Field(default=None, description="As the project-wide `compression`, for this pack.")
    env: Variables = Field(default_factory=dict, description="Variables that verifying and tests run with.")
    test_env: Variables = Field(default_factory=dict, description="Variables that only tests run with.")
    env_passthrough: Names = Field(
        default=(), description="Names of variables that verifying and tests take over from the caller's environment."
    )
    verify: DepthOrNone = Field(default=None, description="As the project-wide `verify`, for this pack.")
    skip_tests: SwitchOrNone = Field(default=None, description="As the project-wide `skip_tests`, for this pack.")
    require_tests: Switch = Field(default=True, description="A pack for which no test runs fails.")
    test_runner: Runner = Field(
        default="auto", description="What runs the tests; `auto` is pytest where it is pinned, else unittest."
    )
    test_network: Switch = Field(
        default=True,
        description="Whether tests may use the network. Where they may not, tests that passed are not run again until something"
        " changes that monopack gives them: pack, tests, Python, variables. Linux only.",
    )
    test_distributions: Names = Field(default=(), description="Pinned distributions that only the tests need.")
    unresolved: Severity = Field(
        default="warn", description="What an import means that neither the project nor a pinned distribution provides."
    )


class BuildConfig(BaseSettings):
    """All options of a run. Names are snake_case in `monopack.toml`, `--kebab-case` as flags, `MONOPACK_NAME` as variables."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    packs_dir: Annotated[Folder, OnCommandLine(group=Group.PLACES, metavar="DIR")] = Field(
        default=Path("packs"), description="The folder that holds one file for each pack."
    )
    build_dir: Annotated[Folder, OnCommandLine(group=Group.PLACES, metavar="DIR")] = Field(
        default=Path("build"), description="The folder that artifacts are written to."
    )
    skip_tests: Annotated[Switch, OnCommandLine(group=Group.BUILD)] = Field(default=False, description="Run no tests.")
    verify: Annotated[Depth, OnCommandLine(group=Group.BUILD)] = Field(
        default=True,
        description="Import each pack in a clean interpreter before it is packed. As a key or variable it also takes `all`, which"
        " imports the modules that may only be reached later, too.",
    )
    debug: Annotated[Switch, OnCommandLine(group=Group.TERMINAL)] = Field(
        default=False, description="Write details of how imports and dependencies are resolved, and tracebacks, to stderr."
    )
    jobs: Annotated[Jobs, OnCommandLine(group=Group.BUILD, metavar="N|auto")] = Field(
        default="auto", description="How many packs are built at the same time; `auto` follows the processor."
    )
    sha_output: Annotated[Formats, OnCommandLine(group=Group.BUILD, metavar="hex,b64")] = Field(
        default=("hex",), description="How the artifact's sha256 is written beside it."
    )
    compression: Annotated[Compression, OnCommandLine(group=Group.BUILD, metavar="HOW")] = Field(
        default="wheel",
        description="How files are compressed in the artifact: `wheel` keeps the compressed bytes that wheels have, `small`"
        " compresses each wheel once more and takes what is shorter, `stored` does not compress.",
    )
    package_manager: Annotated[Manager, OnCommandLine(group=Group.PINS, metavar="NAME")] = Field(
        default="auto",
        description="Whose pins are read: `pip` means requirements.txt, `uv` uv.lock, `poetry` poetry.lock, `pdm` pdm.lock,"
        " `pipenv` Pipfile.lock, `pylock` pylock.toml and `pylock.NAME` pylock.NAME.toml.",
    )
    groups: Names = Field(
        default=(),
        description="Dependency groups whose pins may ship like the project's own dependencies; all others serve tests only.",
    )
    extras: Extras = Field(
        default="all",
        description="The project's own extras whose pins may ship, as far as they are imported; `all` is every one.",
    )
    target: Annotated[Target, OnCommandLine(group=Group.PINS, metavar="TARGET")] = Field(
        default="host",
        description="What the packs run on: `host` is this machine; others are `aws-lambda-python3.12-arm64` and the like, "
        "`gcf-python312`, and a Python with a platform tag, `python3.12-manylinux_2_28_x86_64`.",
    )
    require_hashes: Annotated[Switch, OnCommandLine(group=Group.PINS)] = Field(
        default=False, description="Refuse pins that have no hash in the lock."
    )
    locked: Annotated[Switch, OnCommandLine(group=Group.PINS)] = Field(
        default=False, description="Refuse requirements that are not pinned, and a lock that is older than its manifest."
    )
    sdists: Sdists = Field(
        default="allow",
        description="Which distributions may be built from their sdists where there is no wheel: all (`allow`), none (`forbid`),"
        " or those in a list.",
    )
    python: Annotated[ProgramOrNone, OnCommandLine(group=Group.PINS, metavar="PYTHON"), Unset(words="detected")] = Field(
        default=None,
        description="The Python that the packs run on, a path or a command name; without it the active virtual environment's,"
        " else that of `.venv`, else the one `.python-version` names, else monopack's own.",
    )
    existing_install_python: Annotated[ProgramOrNone, OnCommandLine(group=Group.PINS, metavar="PYTHON"), Unset(words="none")] = (
        Field(default=None, description="A Python whose pip cache is used when distributions are fetched.")
    )
    cache_dir: Annotated[
        FolderOrNone, OnCommandLine(group=Group.PLACES, metavar="DIR"), Unset(words="the user's cache folder")
    ] = Field(default=None, description="The folder of the store of distributions, shared by all projects.")
    cache: Annotated[Switch, OnCommandLine(group=Group.BUILD)] = Field(
        default=True, description="Pass over what is as its last build left it, and do not verify again what was verified before."
    )
    offline: Annotated[Switch, OnCommandLine(group=Group.PINS)] = Field(
        default=False, description="Use no network: what the store does not have is an error."
    )
    force: Annotated[Switch, OnCommandLine(group=Group.BUILD)] = Field(
        default=False, description="Replace files and folders in the build folder that monopack did not write."
    )
    auto_fix: Annotated[Switch, OnCommandLine(group=Group.BUILD)] = Field(
        default=False,
        description="Name in a pack's managed block what verifying and tests find missing, and build again; one pack at a time.",
    )
    quiet: Annotated[Switch, OnCommandLine(group=Group.TERMINAL)] = Field(
        default=False, description="Show only warnings, errors and results."
    )
    color: Annotated[Color, OnCommandLine(group=Group.TERMINAL, metavar="WHEN")] = Field(
        default="auto",
        description="Colours: `always`, `never`, or `auto`, which is for terminals alone and heeds `NO_COLOR` and `FORCE_COLOR`.",
    )
    source_roots: Roots = Field(
        default="auto",
        description="The folders, relative to the project root, whose children are importable names; `auto` is what build"
        " settings say, `src`, and the project root, then those of workspace members and path dependencies.",
    )
    tests_dir: Folder = Field(default=Path("tests"), description="The folder that holds the tests.")
    verify_timeout: Seconds = Field(default=120.0, description="How long verifying one pack may take, in seconds.")
    test_timeout: Seconds = Field(default=600.0, description="How long the tests of one pack may take, in seconds.")
    lock_timeout: SecondsOrZero = Field(
        default=300.0, description="How long to wait for another run on the same build folder, in seconds."
    )
    module_map: Strings = Field(
        default_factory=dict,
        description="Import name to distribution, where the wheels themselves cannot tell.",
    )
    import_rules: Lists = Field(
        default_factory=dict,
        description="What code quietly needs, to distributions that ship where they are pinned; see below.",
    )
    pack: Annotated[PackOptions, Accepts(words="a table of pack options")] = Field(
        default_factory=PackOptions, description="Defaults of every pack."
    )
    packs: Annotated[dict[str, PackOptions], Accepts(words="a table of pack options for each pack")] = Field(
        default_factory=dict, description="Options of single packs, by the pack's name."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The values that `load` hands over as `layers`, best first; without them only the arguments count.

        The process environment is never read here: `load` gets it as a value.
        """
        given = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        layers = given.get("layers")
        return (init_settings,) if layers is None else tuple(_LayerSource(settings_cls, layer) for layer in layers)


class _LayerSource(PydanticBaseSettingsSource):
    """The values of one layer as they are; pydantic-settings merges the layers key by key."""

    def __init__(self, settings_cls: type[BaseSettings], values: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self.values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self.values
