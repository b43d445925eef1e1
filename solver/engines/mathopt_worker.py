"""A process of its own for one MathOpt solve, so that a solver deaf to its time limit can be ended.

Run as a script with two paths: the request to read and the response to write (MathOpt's protocol
buffers). It imports nothing of this package, so it starts quickly.
"""

from __future__ import annotations

import sys
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


if __name__ == "__main__":
    asked, answered = Path(sys.argv[1]), Path(sys.argv[2])
    answered.write_bytes(
        answer(rpc_pb2.SolveRequest.FromString(asked.read_bytes())).SerializeToString()
    )
