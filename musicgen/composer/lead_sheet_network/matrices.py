"""The network's weights, laid out so that products with a few rows are quick.

Knows nothing of what the products mean. Axes: n vectors, i inputs, o outputs, s strips.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Matrices are cut into strips of so many weights, at least so wide: their products with up to 30 rows are so small that
# OpenBLAS does not copy the weights for each (with AVX-512; elsewhere strips cost and gain nothing).
STRIP_WEIGHTS, NARROWEST_STRIP = 2**14, 32


@dataclass(frozen=True, slots=True)
class Block:
    """Matrices of a layer in strips, (strips, inputs, columns) each; the norms before them are multiplied in.

    What is turned together stands side by side in queries and keys, and queries are scaled.
    """

    query_key_value: Floats
    attention_out: Floats
    mlp_in: Floats
    mlp_out: Floats


def product(stream: Floats, strips: Floats) -> Floats:
    """Multiply vectors (n, i) by a matrix in strips (s, i, o / s)."""
    joined: Floats = (stream @ strips).transpose(1, 0, 2).reshape(len(stream), -1)
    return joined


def in_strips(matrix: Floats) -> Floats:
    """Cut a matrix (i, o) into strips of columns, (s, i, o / s)."""
    n_inputs, n_outputs = matrix.shape
    width = math.gcd(n_outputs, max(STRIP_WEIGHTS // n_inputs, NARROWEST_STRIP))
    return np.ascontiguousarray(matrix.reshape(n_inputs, -1, width).swapaxes(0, 1))


def matrix_of(weights: Mapping[str, Floats], name: str, norm: str | None = None) -> Floats:
    """Turn a matrix to (inputs, outputs), the scale of the norm before it multiplied in."""
    matrix = np.ascontiguousarray(weights[name].T)
    if norm is not None:
        matrix *= weights[norm][:, None]
    return matrix


def block_of(weights: Mapping[str, Floats], prefix: str, heads: int) -> Block:
    """Lay out the matrices of the layer whose weights have names that begin with `prefix`."""
    joint = matrix_of(weights, f"{prefix}query_key_value.weight", f"{prefix}norm_attention.weight")
    return Block(
        query_key_value=in_strips(_ready_to_turn(joint, heads)),
        attention_out=in_strips(matrix_of(weights, f"{prefix}attention_out.weight")),
        mlp_in=in_strips(matrix_of(weights, f"{prefix}mlp_in.weight", f"{prefix}norm_mlp.weight")),
        mlp_out=in_strips(matrix_of(weights, f"{prefix}mlp_out.weight")),
    )


def _ready_to_turn(joint: Floats, heads: int) -> Floats:
    """Put what is turned together, halves of a head as trained, side by side; scale the queries."""
    parts = joint.reshape(len(joint), 3, heads, 2, -1)
    parts[:, 0] *= np.float32((2 * parts.shape[-1]) ** -0.5)
    turned = parts[:, :2].swapaxes(-1, -2).reshape(len(joint), -1)
    return np.concatenate([turned, joint[:, turned.shape[1] :]], axis=1)
