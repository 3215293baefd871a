"""Settings: the one place where FENZHEN_* environment variables are read. Says where things are; opens none of them.

Options of the command line are given to `Settings.read` and win over the environment. Knows no HTTP and no model
format: `ModelDir`, `Policies` and `ReviewStore` judge what is found at these places.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fenzhen.defaults import CHECKOUT, default_file
from fenzhen.errors import RequestError
from fenzhen.taxonomy import nearest

PREFIX = "FENZHEN_"
DEFAULT_STORE = "sqlite:///fenzhen.db"  # relative: in the working directory of the server


class Settings(BaseSettings):
    """Everything that whoever runs Fenzhen decides. Frozen; a field `x` is read from `FENZHEN_X`.

    model        model folder, or a folder of models with a CURRENT file; None: the checkout's models/CURRENT
    policy       routing policy file; None: the shipped one
    shops        folder of per-shop overlays; None: `shops` beside the policy, where there is one
    faq          folder of FAQ files; None: answers to faq rules are the gateway's to find
    alerts       file that says who is told of urgent handoffs and stalls; None: nobody
    store        SQLAlchemy URL of the review store (the server records always, commands only with --store)
    spool        folder for decisions that the store could not take
    api_keys     keys accepted as `Authorization: Bearer`; comma separated in the environment
    threads      onnxruntime threads of each worker
    max_waiting  requests that may wait before the server answers 429
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    model: Path | None = None
    policy: Path | None = None
    shops: Path | None = None
    faq: Path | None = None
    alerts: Path | None = None
    store: str = Field(default=DEFAULT_STORE, repr=False)  # may hold a password
    spool: Path = Path("fenzhen-spool")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=256)
    threads: int = Field(default=1, ge=1, le=256)
    max_waiting: int = Field(default=64, ge=1)
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(default=(), repr=False)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @classmethod
    def read(cls, **options: Any) -> Self:
        """Settings of the environment, with the given options on top (None: not given).

        Raises RequestError for an unknown FENZHEN_* variable (naming the nearest) and for a value of the wrong kind.
        """
        known = {PREFIX + name.upper() for name in cls.model_fields}
        for name in os.environ:
            if name.upper().startswith(PREFIX) and name.upper() not in known:
                raise RequestError(
                    f"unknown environment variable {name}; nearest known: {nearest(name.upper(), sorted(known))}; "
                    "unset it or correct its name",
                    field=name,
                )
        try:
            return cls(**{name: value for name, value in options.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            found = "" if name == "api_keys" else f" (found {first['input']!r:.80})"
            message = first["msg"].removeprefix("Value error, ")
            given = f"--{name.replace('_', '-')}" if options.get(name) is not None else PREFIX + name.upper()
            raise RequestError(f"{given}: {message}{found}", field=name) from None

    def environment(self) -> Mapping[str, str]:
        """These settings as FENZHEN_* variables with absolute paths; `read` in a child process gives them back."""
        values: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Path):
                value = value.resolve()
            elif isinstance(value, tuple):
                value = ",".join(value)
            if value not in (None, ""):
                values[PREFIX + name.upper()] = str(value)
        return values

    def model_path(self) -> Path:
        """The model folder to open, given as a path or by its name in models/.

        Raises RequestError saying what was looked for where there is none.
        """
        if self.model is not None:
            folder = self.model if self.model.is_dir() else CHECKOUT / "models" / self.model
            if not folder.is_dir():
                raise RequestError(f"no model folder at {self.model}; {_beside(self.model)}", field="model")
            return _current(folder) or folder
        places = tuple(dict.fromkeys((CHECKOUT / "models", Path("models").resolve())))
        for place in places:
            if found := _current(place):
                return found
        raise RequestError(
            f"no model found: looked for {' and '.join(str(place / 'CURRENT') for place in places)}; "
            "name a model folder with --model DIR or FENZHEN_MODEL",
            field="model",
        )

    def policy_path(self) -> Path:
        """The policy file: the given one, else the shipped one. Raises RequestError if the given one is no file."""
        if self.policy is None:
            return default_file("policy.yaml")
        if not self.policy.is_file():
            raise RequestError(f"no policy file at {self.policy}; expected a YAML file", field="policy")
        return self.policy

    def faq_path(self) -> Path | None:
        """The FAQ folder, None where none is named. Raises RequestError if the given one is no folder."""
        if self.faq is not None and not self.faq.is_dir():
            raise RequestError(f"no FAQ folder at {self.faq}; expected one of <shop>.jsonl files", field="faq")
        return self.faq

    def alerts_path(self) -> Path | None:
        """The alerts file, None where none is named. Raises RequestError if the given one is no file."""
        if self.alerts is not None and not self.alerts.is_file():
            raise RequestError(f"no alerts file at {self.alerts}; see serving/alerts.yaml.example", field="alerts")
        return self.alerts

    def shops_path(self) -> Path | None:
        """The folder of shop overlays, None where there is none. Raises RequestError if the given one is no folder."""
        if self.shops is None:
            beside = self.policy_path().parent / "shops"
            return beside if beside.is_dir() else None
        if not self.shops.is_dir():
            raise RequestError(f"no folder of shop overlays at {self.shops}", field="shops")
        return self.shops


def _current(models: Path) -> Path | None:
    """The folder that models/CURRENT names, None without such a file. Raises ModelError for a broken one."""
    from fenzhen.understanding.model_dir import CURRENT, current  # numpy and tokenizers, too slow for --help

    return current(models) if (models / CURRENT).is_file() else None


def _beside(missing: Path) -> str:
    # A bare name is looked for in models/ of the checkout.
    parent = CHECKOUT / "models" if missing.parent == Path() else missing.parent
    names = sorted(p.parent.name for p in parent.glob("*/manifest.json")) if parent.is_dir() else []
    return f"models there: {', '.join(names)}" if names else f"there is no model in {parent}"
