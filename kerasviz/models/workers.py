"""Which of several workers of a training writes."""

from typing import Any


def several_workers(model: Any) -> bool:
    """Whether several processes train this model together (`tf.distribute.MultiWorkerMirroredStrategy`)."""
    resolver = _resolver(model)
    return resolver is not None and sum(len(resolver.cluster_spec().job_tasks(j)) for j in _jobs(resolver)) > 1


def is_chief(model: Any) -> bool:
    """Whether this process is the one that writes: the chief, or worker 0 where there is none; or the only one."""
    if not several_workers(model):
        return True
    resolver = _resolver(model)
    jobs = _jobs(resolver)
    return resolver.task_type == jobs[0] and not resolver.task_id


def _resolver(model: Any) -> Any:
    resolver = getattr(getattr(model, "distribute_strategy", None), "cluster_resolver", None)
    return resolver if resolver is not None and resolver.cluster_spec().jobs else None


def _jobs(resolver: Any) -> list[str]:
    """The jobs that train, the one of the chief first."""
    return [job for job in ("chief", "master", "worker") if job in resolver.cluster_spec().jobs]
