"""Which faults take the graphics card away from the process: known by their words, or by asking the card."""

from __future__ import annotations

import pytest
import torch

from app.engine import card_fault
from app.engine.card_fault import CardLost, loses_card
from app.engine.device import choose_device
from app.errors import UserError

SEARCH = "\nCUDA kernel errors might be asynchronously reported at some other API call.\n"


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: device-side assert triggered",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: an illegal instruction was encountered",
        "CUDA error: misaligned address",
        "CUDA error: unspecified launch failure",
        "CUDA error: the launch timed out and was terminated",
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error: uncorrectable NVLink error detected during the execution",
        "CUDA error: hardware stack error",
        "CUDA error: invalid program counter",
        "CUDA error: operation not supported on global/shared address space",
        "CUDA error: unknown error",
        "CUDA driver error: device-side assert triggered",
        "Triton Error [CUDA]: an illegal memory access was encountered",
        "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx( handle, opa, opb)`",
        "CUDA error: something that a later version says",
    ],
)
@pytest.mark.parametrize("kind", [torch.AcceleratorError, RuntimeError])
def test_what_the_card_does_not_forget_takes_it_away(text: str, kind: type[RuntimeError]) -> None:
    assert loses_card(kind(text + SEARCH))


@pytest.mark.parametrize(
    "fault",
    [
        torch.AcceleratorError("CUDA error: out of memory" + SEARCH),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device"),
        torch.AcceleratorError("CUDA error: invalid argument" + SEARCH),
        torch.AcceleratorError("CUDA error: operation not permitted when stream is capturing" + SEARCH),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("Triton Error [CUDA]: out of resources: shared memory"),
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        ValueError("device-side assert triggered"),
        OSError(5, "Input/output error"),
        UserError("The model has no device-side assert.", ""),
    ],
    ids=lambda fault: str(fault)[:40],
)
def test_what_concerns_one_call_leaves_the_card(fault: Exception) -> None:
    assert not loses_card(fault)


def test_a_fault_is_looked_at_with_what_it_came_from() -> None:
    def raised(*, known: bool) -> Exception:
        try:
            try:
                raise torch.AcceleratorError("CUDA error: device-side assert triggered")
            except RuntimeError as fault:
                if known:
                    raise UserError("The check failed.", "") from fault
                raise ValueError("while it was handled") from None
        except Exception as fault:
            return fault

    assert loses_card(raised(known=True))
    assert not loses_card(raised(known=False)), "who raised it said that it has nothing to do with it"


@pytest.mark.parametrize("answers", [True, False])
def test_a_card_is_asked_where_words_do_not_tell(answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def synchronize() -> None:
        if not answers:
            raise torch.AcceleratorError("CUDA error: something else")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    assert loses_card(RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED")) is not answers
    assert loses_card(RuntimeError("CUDA error: device-side assert triggered")), "that need not be asked"


@pytest.mark.usefixtures("card_found")
@pytest.mark.parametrize("wish", ["auto", "cuda", "cuda:0"])
def test_a_card_that_was_lost_is_not_asked_again(wish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not card_fault.note(RuntimeError("CUDA error: out of memory"))
    assert not card_fault.is_lost()
    assert card_fault.note(RuntimeError("CUDA error: device-side assert triggered"))
    for name in ("device_count", "mem_get_info", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: pytest.fail("the card was asked"))
    with pytest.raises(CardLost, match="has to be restarted"):
        choose_device(wish)
    assert choose_device("cpu").label == "CPU"
