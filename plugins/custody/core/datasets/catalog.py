"""All contracts of a deployment, read together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from custody.core.datasets.columns import Column
from custody.core.datasets.contract_fields import ContractError, Place
from custody.core.datasets.contracts import Contract, contract_of
from custody.core.datasets.quality.rules import Unresolved
from custody.core.datasets.tables import tables
from custody.core.formats.yaml_text import read_yaml

SUFFIX: Final = ".odcs.yaml"
"""How the file of a contract ends; what stands before it is the dataset's name."""
TODO: Final = "TODO"
"""What stands in a contract that was begun from a sample where no sample can tell."""


class ContractsRefused(ValueError):
    """Contracts cannot be used; a line for each says in which file, on which line, and why."""


def read_contracts(files: Mapping[str, str], *, are_all: bool = True) -> tuple[Contract, ...]:
    """The contracts in files by their names, in the order of the datasets' names.

    Raises ContractsRefused with everything that is wrong with any of them; unless they `are_all`,
    with nothing about datasets that they refer to.
    """
    read: list[Contract] = []
    problems: list[str] = []
    for file in sorted(files):
        try:
            read.append(_named_as_its_file(contract_of(files[file], file), file))
        except ContractError as error:
            problems.append(str(error))
        else:
            problems += _left_to_do(files[file], file)
    problems += _shared_names(read)
    if are_all and not problems:
        problems += _broken_references(read)
    if problems:
        raise ContractsRefused("\n".join(problems))
    return tuple(read)


def _named_as_its_file(contract: Contract, file: str) -> Contract:
    if file != f"{contract.dataset}{SUFFIX}":
        place = Place() / "name"
        raise ContractError(place, f"the file of {contract.dataset} is another", f"{file}:1")
    return contract


def _left_to_do(body: str, file: str) -> Iterator[str]:
    """Where nobody has said yet what no sample can tell, such as what is personal data."""
    if TODO in body:
        document = read_yaml(body)
        for place in _places_of(TODO, document.value, Place()):
            line = document.line_of(place.path)
            yield f"{file}:{line}: {place}: still says {TODO}: only a person can tell"


def _places_of(word: str, value: object, place: Place) -> Iterator[Place]:
    if value == word:
        yield place
    steps: Iterable[tuple[Any, object]] = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, within in steps:
        yield from _places_of(word, within, place / step)


def _broken_references(contracts: Sequence[Contract]) -> list[str]:
    """What is wrong where a rule looks for values in a column that is not there, is another, or has
    tokens."""
    known = {(c.dataset, column.name): column for c in contracts for column in c.columns}
    problems = []
    for contract in contracts:
        own = [(contract.columns, contract.rules), *((a.columns, a.rules) for a in contract.arrays)]
        for columns, rules in own:
            types = {column.name: column.type for column in columns}
            problems += [
                f"{contract.dataset}{SUFFIX}: {rule.name}: {wrong}"
                for rule in rules
                if isinstance(of := rule.measure, Unresolved)
                and (wrong := _wrong(of, types[of.column], known.get((of.dataset, of.other))))
            ]
    return problems


def _wrong(reference: Unresolved, kind: str, other: Column | None) -> str:
    """What is wrong with a reference of a column of that kind to the `other`; empty if nothing."""
    if other is None or other.type != kind:
        return f"{reference.dataset} has no {reference.other} of its type, {kind}"
    if other.is_personal:
        return (
            f"{reference.dataset}: {reference.other} is personal data, of which it has tokens: "
            "no value is one"
        )
    return ""


def _shared_names(contracts: Iterable[Contract]) -> list[str]:
    """What is wrong where two tables would have one name, whosoever they are."""
    owners = [(table.name, c.dataset) for c in contracts for table in tables(c)]
    named = Counter(name for name, _ in owners)
    return [
        f"{dataset}{SUFFIX}: its table {name} is named as another is"
        for name, dataset in owners
        if named[name] > 1
    ]
