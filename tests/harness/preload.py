"""What the nursery's server imports before it forks. It ends with the tests, and its children with it."""

import os

# A fork would copy the number libraries' threads dead.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import flask.cli  # noqa: F401
import gunicorn.app.wsgiapp  # noqa: F401

import app.factory
import app.serving  # noqa: F401
import tests.harness.quick  # noqa: F401
from app.kernel.processes import end_with_parent

end_with_parent(os.getppid())
