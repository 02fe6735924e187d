"""Compute instances: one person's machine in the workspace, which stops when nobody uses it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import machinelearningservices as ml

SHORTEST_IDLE, LONGEST_IDLE = 15, 3 * 24 * 60
"""Minutes that Azure accepts (learn.microsoft.com/azure/machine-learning/how-to-create-compute-instance)."""


@dataclass(frozen=True)
class Schedule:
    """When an instance starts and stops by itself.

    Attributes:
        start: Cron expression of five fields at which it starts; never if left out.
        stop: Cron expression at which it stops; never if left out.
        time_zone: The zone of both, in Windows' names.
    """

    start: str | None = None
    stop: str | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True)
class ComputeInstanceArgs:
    """A compute instance for one person.

    Attributes:
        resource_group_name: Resource group of the workspace.
        workspace_name: The workspace that it belongs to.
        instance_name: Its name; unique in the region.
        location: Azure region.
        vm_size: Its VM size, such as `STANDARD_DS3_V2`.
        user_object_id: Whose it is, by object id in Entra; nobody else reaches it.
        tenant_id: Their Entra tenant.
        idle_minutes: Minutes without use after which it stops, 15 to 4320.
        schedule: When it starts and stops by itself.
        setup_script: Text of a shell script that runs once, when it is made.
        subnet_id: Its subnet; Azure's or the managed network's if left out.
        public_ip: Whether it has a public address; not in a subnet or a managed network.
        tags: Tags of the instance when it is first made; later changes do not reach it.
    """

    resource_group_name: pulumi.Input[str]
    workspace_name: pulumi.Input[str]
    instance_name: str
    location: pulumi.Input[str]
    vm_size: str
    user_object_id: pulumi.Input[str]
    tenant_id: pulumi.Input[str]
    idle_minutes: int = 60
    schedule: Schedule | None = None
    setup_script: str | None = None
    subnet_id: pulumi.Input[str] | None = None
    public_ip: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an instance that would never stop.

        Raises:
            ValueError: If `idle_minutes` is outside of what Azure accepts.
        """
        if not SHORTEST_IDLE <= self.idle_minutes <= LONGEST_IDLE:
            raise ValueError(
                f"instance '{self.instance_name}': idle_minutes is {SHORTEST_IDLE} to {LONGEST_IDLE}, "
                f"not {self.idle_minutes}"
            )


class ComputeInstance(pulumi.ComponentResource):
    """A compute instance that belongs to one person, stops when idle, signs in by Entra and has no SSH.

    Azure changes nothing of it in place: every change makes it anew, with the person's files kept on the workspace's
    file share and everything else on it lost. Tags are not worth that: it keeps those that it was first made with.

    Example:
        >>> from components.compute.instance import ComputeInstance, ComputeInstanceArgs
        >>> instance = ComputeInstance(
        ...     "notebook",
        ...     ComputeInstanceArgs(
        ...         resource_group_name="forecast", workspace_name="forecastws", instance_name="notebook",
        ...         location="eastus2", vm_size="STANDARD_DS3_V2",
        ...         user_object_id="9a0b7f6e-2a57-4c0f-8d55-0c2a0f0d2a11",
        ...         tenant_id="11111111-2222-3333-4444-555555555555",
        ...     ),
        ... )
        >>> pulumi.export("instance", instance.instance_name)

    Attributes:
        instance_id: Id of the instance.
        instance_name: Its name in the workspace.
    """

    instance_id: pulumi.Output[str]
    instance_name: pulumi.Output[str]

    def __init__(self, name: str, args: ComputeInstanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("azureml-platform:components:ComputeInstance", name, {}, opts)
        instance = ml.Compute(
            name,
            compute_name=args.instance_name,
            workspace_name=args.workspace_name,
            resource_group_name=args.resource_group_name,
            location=args.location,
            properties=_properties(args),
            tags=args.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                replace_on_changes=["properties"],
                delete_before_replace=True,
                # Azure has no request that changes them: PATCH takes a cluster's scale only, a second PUT is refused.
                ignore_changes=["tags"],
            ),
        )
        self.instance_id, self.instance_name = instance.id, instance.name
        self.register_outputs({"instanceId": self.instance_id, "instanceName": self.instance_name})


def _properties(args: ComputeInstanceArgs) -> ml.ComputeInstanceArgs:
    owner = ml.AssignedUserArgs(object_id=args.user_object_id, tenant_id=args.tenant_id)
    return ml.ComputeInstanceArgs(
        compute_type="ComputeInstance",
        disable_local_auth=True,
        properties=ml.ComputeInstancePropertiesArgs(
            vm_size=args.vm_size,
            application_sharing_policy=ml.ApplicationSharingPolicy.PERSONAL,
            compute_instance_authorization_type=ml.ComputeInstanceAuthorizationType.PERSONAL,
            personal_compute_instance_settings=ml.PersonalComputeInstanceSettingsArgs(assigned_user=owner),
            enable_sso=True,
            subnet=None if args.subnet_id is None else ml.ResourceIdArgs(id=args.subnet_id),
            enable_node_public_ip=args.public_ip,
            ssh_settings=ml.ComputeInstanceSshSettingsArgs(ssh_public_access=ml.SshPublicAccess.DISABLED),
            idle_time_before_shutdown=f"PT{args.idle_minutes}M",
            schedules=_schedules(args.schedule),
            setup_scripts=_setup(args.setup_script),
        ),
    )


def _schedules(schedule: Schedule | None) -> ml.ComputeSchedulesArgs | None:
    if schedule is None:
        return None
    actions = {ml.ComputePowerAction.START: schedule.start, ml.ComputePowerAction.STOP: schedule.stop}
    return ml.ComputeSchedulesArgs(
        compute_start_stop=[
            ml.ComputeStartStopScheduleArgs(
                action=action,
                status=ml.ScheduleStatus.ENABLED,
                trigger_type=ml.ComputeTriggerType.CRON,
                cron=ml.CronArgs(expression=expression, time_zone=schedule.time_zone),
            )
            for action, expression in actions.items()
            if expression
        ]
    )


def _setup(script: str | None) -> ml.SetupScriptsArgs | None:
    if script is None:
        return None
    data = base64.b64encode(script.encode()).decode()
    return ml.SetupScriptsArgs(
        scripts=ml.ScriptsToExecuteArgs(
            creation_script=ml.ScriptReferenceArgs(script_source="inline", script_data=data)
        )
    )
