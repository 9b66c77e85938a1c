"""The order of a deployment.

1. Everything that can be checked before anything is made is checked, the contracts first.
2. The bootstrap stack, whose bucket holds everything else.
3. The build (`infra/build.py`), the templates and the code they name: uploaded under their hashes.
4. The other stacks, one after the other. The outputs of each are parameters of the later ones.
5. With MWAA: its code is uploaded before the stacks; after them, it must have read the DAGs.

Each stack is deployed the same way: a deployment that is under way is waited for; its change set is
made, shown and confirmed; it is watched; then it is protected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from infra import build
from infra.deployment import mwaa, uploads
from infra.deployment.artifacts import Artifacts
from infra.deployment.errors import DeployError
from infra.deployment.parts import PARTS, Part, Places
from infra.deployment.released import Compared, deployed_contracts
from infra.deployment.session import Session
from infra.deployment.smoke import Smoke
from infra.deployment.stacks.changesets import ChangeSet, ChangeSets, Request
from infra.deployment.stacks.description import Stack
from infra.deployment.stacks.protecting import protect
from infra.deployment.stacks.remedies import DEPLOYABLE, GOES_ON, failure
from infra.deployment.stacks.watching import Watch
from infra.deployment.stages import LOCAL, Stage
from infra.deployment.templates import rules
from infra.deployment.templates.packaging import package
from infra.deployment.templates.parameters import Choice, check_known, choose
from infra.deployment.templates.reading import declarations, load
from infra.deployment.versions import REPOSITORY, check_not_older, commit

_DONE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_COMPUTED: Final = frozenset(
    {
        *("Project", "Stage", "CodeLocation", "DeployerArns", "Commit", uploads.PARAMETER),
        *("HomeAccountId", "ReplicaRegion", "ReplicaAccountId", "ReplicaKeyArn"),
        *mwaa.PARAMETERS,
    }
)
"""Parameters that the deployment itself knows the value of."""


@dataclass(frozen=True)
class Options:
    """What whoever deploys wants of this deployment."""

    overrides: Mapping[str, str]
    role_arn: str | None = None
    """A role that CloudFormation uses instead of the caller's rights."""
    dry_run: bool = False
    allow_downgrade: bool = False


@dataclass(frozen=True)
class Deployment:
    """One run of the command."""

    session: Session
    stage: Stage
    options: Options
    confirm: Callable[[str], bool]
    say: Callable[[str], None]
    parts: tuple[Part, ...] = PARTS
    """The stacks that a stage may have."""
    _known: dict[str, str] = field(default_factory=dict)
    """What has been computed so far, and the outputs of the stacks so far."""

    def run(self) -> Mapping[str, str]:
        """Deploy everything; gives the root stack's outputs (none after a dry run).

        Raises:
            DeployError: something is wrong, or failed; says what to do.
            botocore's errors: AWS refused a call, or cannot be reached.
        """
        self._check()
        self._known.update(self._computed())
        bootstrap, *others = self._places.parts
        if not self._deploy(bootstrap, bootstrap.body()):
            self.say("The other stacks can be shown once the bootstrap stack is there")
            return {}
        artifacts = Artifacts(self.session, self._known["ArtifactsBucket"])
        self._known["CodeLocation"] = self._upload_bundle(artifacts)
        if self._runs_on_mwaa() and "DagsBucket" in self._known:
            dags = Artifacts(self.session, self._known["DagsBucket"])
            self._known.update(mwaa.upload(dags))
            self.say(f"Airflow: s3://{dags.bucket}/{self._known['DagS3Path']}")
        for part in others:
            if not self._deploy(part, self._template(part, artifacts)):
                return {}
        root = self._places.find(others[-1])
        outputs = root.outputs if root else {}
        if "AirflowEnvironment" in outputs and not self.options.dry_run:
            environment = mwaa.Environment(self.session, outputs["AirflowEnvironment"], self.say)
            environment.wait()
            # The local AWS makes environments, but runs no Airflow in them.
            if self.stage.place.stage != LOCAL:
                Smoke(self.session, outputs, self.say).airflow(environment)
        return outputs

    def _template(self, part: Part, artifacts: Artifacts) -> Mapping[str, str]:
        """A stack's template as CloudFormation is told of it, with what the contracts say."""
        if part.holds_copies:
            return part.body()
        knows_uploaders = uploads.ARNS in declarations(load(part.template))
        arns = self._value(uploads.ARNS, part) if knows_uploaders else None
        return {"TemplateURL": package(part.template, artifacts, self._uploads.completing(arns))}

    def _value(self, name: str, part: Part) -> str:
        """The value that a parameter of a stack will have; empty if nobody has ever said one."""
        before = self._places.find(part)
        return self._given.get(name, before.kept.get(name, "") if before else "")

    def _runs_on_mwaa(self) -> bool:
        """Whether the stacks will be told to make an environment, or to keep one."""
        return self._value("Mwaa", self._places.parts[-1]) == "true"

    def _check(self) -> None:
        """All that can be wrong before anything is made."""
        contracts, remarks = self._uploads, dict[str, None]()
        parts = self._places.parts
        templates = {part: load(part.template) for part in parts}
        # What a stack gives to later ones is not known yet, but it will be.
        later = {name for part in parts[:-1] for name in templates[part]["Outputs"]}
        declared = {name for template in templates.values() for name in declarations(template)}
        check_known(self._given, declared - later - _COMPUTED)
        given = {
            **dict.fromkeys(later | _COMPUTED, "known later"),
            **self._given,
            **self._computed(),
        }
        for part, template in templates.items():
            before, own = self._places.find(part), self._places.parameters(part)
            check_known(own, declarations(template))
            try:
                choice = choose(
                    declarations(template), {**given, **own}, before.kept if before else {}
                )
            except DeployError as error:
                raise DeployError(
                    f"{error}: add it to {self.stage.file}, or pass --parameter NAME=VALUE"
                ) from error
            broken = rules.broken(template, choice.values)
            if broken:
                raise DeployError("\n  ".join(["nothing was changed:", *broken]))
            if uploads.ARNS in choice.values:
                uploading = contracts.by(choice.values[uploads.ARNS])
                was = before.parameters if before else {}
                remarks |= dict.fromkeys(uploading.remarks(was, choice.values))
            if part is parts[-1] and before and not self._may_go_back:
                check_not_older(before.outputs.get("Commit", ""))
            if part is parts[-1] and before and "CodeLocation" in before.kept:
                remarks |= dict.fromkeys(self._compare(contracts, before.kept["CodeLocation"]))
        for remark in remarks:
            self.say(remark)

    def _compare(self, contracts: uploads.Declared, running: str) -> list[str]:
        """What changes of the contracts that run; raises DeployError if a version does not say."""
        if self.options.allow_downgrade:
            return []
        deployed = deployed_contracts(self.session, running)
        compared = Compared(deployed, contracts.folder, contracts.files)
        if refused := list(compared.refusals()):
            raise DeployError("\n  ".join(["nothing was changed:", *refused]))
        return list(compared.remarks())

    def _computed(self) -> dict[str, str]:
        place, replica = self.stage.place, self.stage.replica
        return {
            "Project": place.project,
            "Stage": place.stage,
            "DeployerArns": ",".join(self.stage.deployers),
            "Commit": commit(),
            uploads.PARAMETER: self._uploads.text,
            "HomeAccountId": place.account,
            "ReplicaRegion": replica.region if replica else "",
            "ReplicaAccountId": replica.account if replica else "",
        }

    @property
    def _may_go_back(self) -> bool:
        # Whoever works on one machine amends commits and changes branches all day.
        return self.options.allow_downgrade or self.stage.place.stage == LOCAL

    @property
    def _given(self) -> dict[str, str]:
        return {**self.stage.parameters, **self.options.overrides}

    @cached_property
    def _uploads(self) -> uploads.Declared:
        return uploads.Declared.read(REPOSITORY / "include" / "contracts")

    @cached_property
    def _places(self) -> Places:
        return Places(self.session, self.stage, self.parts)

    def _watch(self, part: Part) -> Watch:
        return Watch(self._places.cloudformation(part), self.say)

    def _upload_bundle(self, artifacts: Artifacts) -> str:
        content_hash = build.build(REPOSITORY, REPOSITORY / "build")
        bundle = REPOSITORY / "build" / "bundle"
        for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
            name = path.relative_to(bundle).as_posix()
            artifacts.put(f"{content_hash}/{name}", path.read_bytes())
        self.say(f"code: s3://{artifacts.bucket}/{content_hash}")
        return f"s3://{artifacts.bucket}/{content_hash}"

    def _deploy(self, part: Part, template: Mapping[str, str]) -> bool:
        """Deploy a stack and remember its outputs; false if it is not there after a dry run."""
        name = self._places.name(part)
        before = self._ready(part, name)
        given = {**self._given, **self._known, **self._places.parameters(part)}
        try:
            choice = choose(declarations(load(part.template)), given, before.kept if before else {})
        except DeployError as error:
            if not self.options.dry_run:
                raise
            self.say(f"{name} can be shown once the stacks before it are deployed: {error}")
            return False
        role = self._places.service_role(part, self.options.role_arn)
        request = Request(name, template, choice.request(), self._tags(), role)
        cloudformation = self._places.cloudformation(part)
        change_sets = ChangeSets(cloudformation)
        change_set = change_sets.create(request, before)
        if change_set is None:
            self.say(f"{name}: no changes")
        else:
            self._show(change_set, choice, before)
            self._carry_out(change_sets, change_set, part)
        after = self._places.find(part)
        if after is None or not after.exists:
            return False
        if not self.options.dry_run:
            # Also where nothing changed: an interrupted deployment did not get as far as this.
            protect(cloudformation, name)
        self._known.update(after.outputs)
        return True

    def _carry_out(self, change_sets: ChangeSets, change_set: ChangeSet, part: Part) -> None:
        stack = change_set.stack
        if self.options.dry_run:
            change_sets.discard(change_set)
            return
        try:
            agreed = self.confirm(f"Change {stack}?")
        except KeyboardInterrupt:
            agreed = False
        if not agreed:
            change_sets.discard(change_set)
            raise DeployError(f"{stack} was not changed")
        watch = self._watch(part)
        seen = watch.seen(stack)
        change_sets.execute(change_set, undo=part.is_undone)
        end = watch.until_over(stack, seen)
        if end.status not in _DONE:
            raise DeployError(failure(stack, end.status, end.reasons, part.is_undone))

    def _ready(self, part: Part, name: str) -> Stack | None:
        """The stack as it can be deployed, after what has to come first.

        Raises DeployError with the remedy if it cannot.
        """
        stack, watch = self._places.find(part), self._watch(part)
        if stack and stack.in_progress:
            self.say(f"{name} is {stack.status}: another deployment is under way; waiting for it")
            watch.until_over(stack.arn, watch.seen_before_running(stack.arn))
            stack = self._places.find(part)
        deployable = DEPLOYABLE if part.is_undone else DEPLOYABLE | GOES_ON
        if stack is None or stack.status in deployable:
            return stack
        if stack.status == "ROLLBACK_COMPLETE" and not self.options.dry_run:
            self._delete_failed(part, stack)
            return None
        reasons = watch.reasons_of(name)
        raise DeployError(failure(name, stack.status, reasons, part.is_undone))

    def _delete_failed(self, part: Part, stack: Stack) -> None:
        """Delete what is left of a first deployment that failed."""
        self.say(f"{stack.name} is {stack.status}: its first deployment failed and was undone")
        if not self.confirm(f"Delete what is left of {stack.name} and begin anew?"):
            raise DeployError(f"{stack.name} was not changed")
        watch = self._watch(part)
        seen = watch.seen(stack.arn)
        self._places.cloudformation(part).delete_stack(StackName=stack.arn)
        end = watch.until_over(stack.arn, seen)
        if end.status != "DELETE_COMPLETE":
            raise DeployError(failure(stack.name, end.status, end.reasons))

    def _tags(self) -> dict[str, str]:
        place = self.stage.place
        return {**self.stage.tags, "project": place.project, "stage": place.stage}

    def _show(self, change_set: ChangeSet, choice: Choice, before: Stack | None) -> None:
        self.say(f"{change_set.stack} would {'be made' if change_set.is_new else 'change'}:")
        if not change_set.is_new and before:
            for line in choice.changes(before.parameters):
                self.say(f"  {line}")
        for change in change_set.changes:
            self.say(f"  {change}")
        losing = [change.path for change in change_set.changes if change.loses_something]
        if losing:
            self.say(f"  ATTENTION: what there is of {', '.join(losing)} may be gone afterwards")
