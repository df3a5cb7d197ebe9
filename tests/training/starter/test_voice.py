"""The decoder learns the model's voice: no code changes, it goes on bit for bit, losses keep their shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file

from app.files import write_json
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from tests.training.starter import needs
from training.starter import bank, codec, trainer, voice
from training.starter.balance import Balance
from training.starter.codec import Settings, load_codec
from training.starter.discriminator import Discriminator, feature_loss, fooling_loss, telling_loss
from training.starter.own_voice import ESPEAK, OwnVoice
from training.starter.voice import refine_voice

SMALL = Settings(steps=6, filters=4)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A codec as it is drawn, with codes as good as any."""
    torch.manual_seed(0)
    folder, config = tmp_path_factory.mktemp("codec"), codec.codec_config(SMALL.filters)
    write_json(folder / codec.CONFIG, config)
    mimi = codec.loaders.get_mimi(None, device="cpu", num_codebooks=codec.CODEBOOKS, mimi_config=config)
    drawn = {name: each.contiguous() for name, each in mimi.state_dict().items()}
    books = {name: torch.randn_like(each) for name, each in drawn.items() if name.endswith("embedding_sum")}
    save_file({**drawn, **books}, folder / codec.WEIGHTS)
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnVoice]:
    with closing(OwnVoice(tmp_path_factory.mktemp("own"), ESPEAK)) as own:
        # Its process begins with the first line, and is to be none of a single test.
        own.say("en", "Right.")
        yield own


@pytest.fixture(scope="module")
def refined(untrained: Path, own: OwnVoice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voice")
    refine_voice(folder, untrained, own, SMALL)
    return folder


def encode(mimi: MimiModel, sound: np.ndarray) -> torch.Tensor:
    with torch.no_grad(), no_compile():
        return mimi.encode(torch.from_numpy(sound)[None, None])


@needs.engine("espeak-ng")
def test_the_voice_learns_and_no_code_changes(untrained: Path, refined: Path, own: OwnVoice) -> None:
    assert {path.name for path in refined.iterdir()} == {codec.WEIGHTS, codec.CONFIG}
    before, after = (load_file(folder / codec.WEIGHTS) for folder in (untrained, refined))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split(".")[0] for name in changed} == {
        "quantizer",
        "upsample",
        "decoder_transformer",
        "decoder",
    }
    assert all("output_proj" in name for name in changed if name.startswith("quantizer"))
    sound = own.say("en", "Hello, nice to hear you.").sound
    sound = np.pad(sound, (0, -len(sound) % FRAME_SAMPLES))
    assert torch.equal(encode(load_codec(untrained), sound), encode(load_codec(refined), sound))


@needs.engine("espeak-ng")
def test_one_that_was_stopped_goes_on_bit_for_bit(
    untrained: Path, refined: Path, own: OwnVoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "_SAVE_EVERY", 2)
    learn = trainer.Trainer.learn

    def stop(self: trainer.Trainer) -> None:
        learn(self)
        if self.step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(trainer.Trainer, "learn", stop)
        with pytest.raises(KeyboardInterrupt):
            refine_voice(tmp_path, untrained, own, SMALL)
    refine_voice(tmp_path, untrained, own, SMALL)
    ours, theirs = (load_file(folder / codec.WEIGHTS) for folder in (tmp_path, refined))
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []


@needs.engine("espeak-ng")
def test_codes_and_sound_of_a_clip_belong_together(untrained: Path, own: OwnVoice) -> None:
    mimi = load_codec(untrained)
    said = own.say("en", "Thank you for telling me that.").sound
    (coded,) = voice._encode(mimi, [said])
    lead = voice._LEAD_FRAMES * FRAME_SAMPLES
    assert not coded.sound[:lead].any()
    np.testing.assert_array_equal(coded.sound[lead : lead + len(said)], said)
    assert len(coded.sound) == coded.codes.shape[1] * FRAME_SAMPLES
    material = voice._Material({kind: [coded] for kind in voice._SHARES_OF_SPEECH})
    whole = np.pad(coded.sound, (0, codec.CLIP_FRAMES * FRAME_SAMPLES))
    places = set()
    for number in range(20):
        sound, codes = material.draw(np.random.default_rng(number))
        assert codes.shape == (codec.CODEBOOKS, codec.CLIP_FRAMES)
        assert len(sound) == codec.CLIP_FRAMES * FRAME_SAMPLES
        windows = np.lib.stride_tricks.sliding_window_view(whole, len(sound))[::FRAME_SAMPLES]
        (at,) = np.flatnonzero((windows == sound).all(axis=1))[:1]
        known = coded.codes.shape[1] - at
        np.testing.assert_array_equal(codes[:, :known], coded.codes[:, at : at + codec.CLIP_FRAMES])
        places.add(at)
    assert len(places) > 5


@needs.engine("espeak-ng")
def test_others_are_those_of_the_bank(
    untrained: Path, own: OwnVoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.make_bank(tmp_path, bank.Settings(engines=("espeak-ng",), revoiced=False, share=1e-4))
    monkeypatch.setattr(voice, "_OTHER_CLIPS", 2)
    mimi, lines = load_codec(untrained), Settings(steps=2, filters=4)
    alone, together = (voice._material(mimi, own, lines, folder)._clips for folder in (None, tmp_path))
    assert len(alone) == 3 * 2
    assert len(together) == len(alone) + 2
    (_, first), *_ = bank.read_shard(bank.shards(tmp_path)[0])
    lead = voice._LEAD_FRAMES * FRAME_SAMPLES
    heard = together[-2].sound[lead : lead + len(first)]
    assert np.corrcoef(heard, first)[0, 1] > 0.999


def test_an_average_follows_the_weights_and_goes_on() -> None:
    weights = [torch.nn.Parameter(torch.zeros(2))]
    average = trainer.Average(weights, 0.75)
    weights[0].data += 1
    average.update(weights)
    again = trainer.Average(weights, 0.75)
    again.load_state_dict(average.state_dict())
    for each in (average, again):
        each.update(weights)
        weights[0].data += 1
        each.write(weights)
        torch.testing.assert_close(weights[0].detach(), torch.full((2,), 1 - 0.75**2))
        weights[0].data.fill_(1)


@needs.engine("espeak-ng")
def test_most_of_what_is_learnt_are_the_lines_of_the_model() -> None:
    def clip(value: int) -> voice.Coded:
        frames = 3 * codec.CLIP_FRAMES
        codes = np.full((codec.CODEBOOKS, frames), value)
        return voice.Coded(np.zeros(frames * FRAME_SAMPLES, dtype=np.float32), codes)

    kinds = list(voice._SHARES_OF_SPEECH)
    material = voice._Material({kind: [clip(at)] * (at + 1) for at, kind in enumerate(kinds)})
    chance = np.random.default_rng(0)
    drawn = [kinds[int(material.draw(chance).codes[0, 0])] for _ in range(2000)]
    for kind, share in voice._SHARES_OF_SPEECH.items():
        assert drawn.count(kind) / len(drawn) == pytest.approx(share, abs=0.04)
    without = voice._Material({**{kind: [] for kind in kinds}, "line": [clip(0)]})
    assert int(without.draw(chance).codes[0, 0]) == 0


def test_each_loss_has_its_share_whatever_its_scale() -> None:
    balance = Balance({"loud": 1.0, "soft": 3.0})
    output = torch.zeros(2, requires_grad=True)
    pull = balance.gradient({"loud": 1e6 * output[0], "soft": 1e-3 * output[1]}, output)
    torch.testing.assert_close(pull, torch.tensor([0.25, 0.75]))
    alone = balance.gradient({"loud": 1e6 * output[0]}, output)
    torch.testing.assert_close(alone, torch.tensor([1.0, 0.0]))
    # A batch of which a loss asks more than usual gets more.
    more = balance.gradient({"loud": 2e6 * output[0], "soft": 1e-3 * output[1]}, output)
    assert 1.9 * 0.25 < float(more[0]) < 2 * 0.25
    again = Balance({"loud": 1.0, "soft": 3.0})
    again.load_state_dict(balance.state_dict())
    ours = again.gradient({"soft": 1e-3 * output[1]}, output)
    torch.testing.assert_close(ours, balance.gradient({"soft": 1e-3 * output[1]}, output))


def test_a_discriminator_learns_to_tell_and_its_features_to_compare() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(windows=(512, 256), channels=8)
    optimizer = torch.optim.AdamW(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.9))
    time = torch.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    tone, noise = (0.1 * torch.sin(2 * torch.pi * 440 * time)).expand(2, -1), 0.07 * torch.randn(2, len(time))
    with torch.no_grad():
        begin = float(telling_loss(discriminator(tone), discriminator(noise)))
    for _ in range(30):
        optimizer.zero_grad()
        telling_loss(discriminator(tone), discriminator(noise)).backward()
        optimizer.step()
    with torch.no_grad():
        judged, told = discriminator(tone), discriminator(noise)
    assert float(telling_loss(judged, told)) < 0.3 * begin
    assert float(fooling_loss(told)) > 1.5
    assert float(fooling_loss(judged)) < 0.5
    assert float(feature_loss(judged, judged)) == 0
    assert float(feature_loss(judged, told)) > 0.5
    sound = noise.clone().requires_grad_()
    fooling_loss(discriminator(sound)).backward()
    assert sound.grad is not None
    assert torch.isfinite(sound.grad).all()
    assert sound.grad.abs().max() > 0
