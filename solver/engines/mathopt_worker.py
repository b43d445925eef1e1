"""A process of its own for one MathOpt solve, so that a solver deaf to its time limit can be ended.

Run as a script with two paths, the request to read and the response to write (MathOpt's protocol
buffers), and the time at which to stop, in seconds since the epoch: what the start of the process
takes is not the solver's. It imports nothing of this package, so it starts quickly.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ortools.math_opt import callback_pb2, result_pb2, rpc_pb2
from ortools.math_opt.core.python import solver


def answer(request: rpc_pb2.SolveRequest) -> result_pb2.SolveResultProto:
    """Solve a request in this process."""
    return solver.solve(
        request.model,
        request.solver_type,
        request.initializer,
        request.parameters,
        request.model_parameters,
        None,
        callback_pb2.CallbackRegistrationProto(),
        None,
        None,
    )


def main(asked: str, answered: str, deadline: str) -> None:
    request = rpc_pb2.SolveRequest.FromString(Path(asked).read_bytes())
    left = max(float(deadline) - time.time(), 1e-3)
    request.parameters.time_limit.FromNanoseconds(int(left * 1e9))
    Path(answered).write_bytes(answer(request).SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
