"""The table of all layers: a row per public layer and configuration.

A row says how a layer is made, what it is called on and what it promises to return;
`tests/contract.py` holds what is checked on every row.
"""

from tests.attention_cases import ATTENTION, MULTI_HEAD, POSITIONS
from tests.head_cases import DIFFERENTIAL, LATENT, LINEAR
from tests.recurrent_cases import CELLS, RECURRENT, RECURRENT_PARTS
from tests.transformer_cases import BLOCKS, EMBEDDINGS, STACKS

CASES = [
    *ATTENTION,
    *MULTI_HEAD,
    *DIFFERENTIAL,
    *LATENT,
    *LINEAR,
    *POSITIONS,
    *EMBEDDINGS,
    *BLOCKS,
    *STACKS,
    *CELLS,
    *RECURRENT,
    *RECURRENT_PARTS,
]
