"""What training, continuation and export say when something is amiss, as templates for the translators.

As `app.ui.shell.sentences`; where words are put together in the code, a template stands here for each way.
"""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

_SENTENCES = (
    QT_TRANSLATE_NOOP("Told", "An echo has nothing to learn with."),
    QT_TRANSLATE_NOOP("Told", "Name a model, such as moshika."),
    QT_TRANSLATE_NOOP("Told", "{0} has 8-bit weights, which can not be trained."),
    QT_TRANSLATE_NOOP("Told", "Train {0} with base_bits = 8, which needs as little memory."),
    QT_TRANSLATE_NOOP(
        "Told", "Its config.toml or the model that it is trained from has changed: put the old one back."
    ),
    QT_TRANSLATE_NOOP(
        "Told", "Its config.toml or the model that it was trained from has changed: put the old one back."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} is of another configuration: {1} is on one side only."),
    QT_TRANSLATE_NOOP("Told", "{0} is of another configuration: {1} has another shape."),
    QT_TRANSLATE_NOOP(
        "Told", "Free some space and go on with `aizuchi train --resume`; earlier checkpoints are kept."
    ),
    QT_TRANSLATE_NOOP("Told", "Check the disk; earlier checkpoints are kept."),
    QT_TRANSLATE_NOOP("Told", "The disk is full: {0} could not be written."),
    QT_TRANSLATE_NOOP("Told", "{0} could not be written: {1}."),
    QT_TRANSLATE_NOOP("Told", "Go on from an earlier checkpoint with --step, or begin anew."),
    QT_TRANSLATE_NOOP("Told", "Sound can not be written without soundfile."),
    QT_TRANSLATE_NOOP("Told", "Install soundfile."),
    QT_TRANSLATE_NOOP("Told", "See whether the disk has room."),
    QT_TRANSLATE_NOOP("Told", "Name a TOML file."),
    QT_TRANSLATE_NOOP("Told", "{0} is not valid TOML: {1}."),
    QT_TRANSLATE_NOOP("Told", "Correct the line."),
    QT_TRANSLATE_NOOP("Told", "Known are {0}."),
    QT_TRANSLATE_NOOP("Told", "Did you mean {0}?"),
    QT_TRANSLATE_NOOP("Told", "{0} has an unknown setting {1}."),
    QT_TRANSLATE_NOOP("Told", "{0}: {1} is not a table."),
    QT_TRANSLATE_NOOP("Told", "Write its settings below [{0}]."),
    QT_TRANSLATE_NOOP("Told", "{0}: {1} can not be {2}."),
    QT_TRANSLATE_NOOP("Told", "Choose one of {0}."),
    QT_TRANSLATE_NOOP("Told", "It has to be {0}."),
    QT_TRANSLATE_NOOP("Told", "{0}: {1} is {2}."),
    QT_TRANSLATE_NOOP("Told", "It lies between 0 and 1."),
    QT_TRANSLATE_NOOP("Told", "For example [0.9, 0.95]."),
    QT_TRANSLATE_NOOP("Told", "A run's name is that of its folder, without others around it."),
    QT_TRANSLATE_NOOP("Told", "It is 16, 8 or 4."),
    QT_TRANSLATE_NOOP("Told", 'Write for example data = ["my-talks"].'),
    QT_TRANSLATE_NOOP("Told", 'Choose ["A"] (the left channel), ["B"] or both.'),
    QT_TRANSLATE_NOOP("Told", "Lower it."),
    QT_TRANSLATE_NOOP("Told", 'Only a frozen base can be kept in fewer bits: choose method = "lora".'),
    QT_TRANSLATE_NOOP("Told", "Choose one of both."),
    QT_TRANSLATE_NOOP("Told", "No dialogue is {0} s long or longer."),
    QT_TRANSLATE_NOOP("Told", "Choose a shorter --prompt."),
    QT_TRANSLATE_NOOP("Told", "Name one dataset at a time, each with an --out of its own."),
    QT_TRANSLATE_NOOP("Told", "Two dialogues are called {0}."),
    QT_TRANSLATE_NOOP("Told", "{0} of {1} dialogues left out, shorter than the prompt of {2} s: {3}."),
    QT_TRANSLATE_NOOP(
        "Told", "{0} predicts its own voice alone, so it answers the user's voice of each dialogue."
    ),
    QT_TRANSLATE_NOOP("Told", "Kept from before: {0}."),
    QT_TRANSLATE_NOOP("Told", "{0} needs {1} GB, and {2} GB are free on {3}."),
    QT_TRANSLATE_NOOP("Told", "Lower --batch, or close other programs that use the memory."),
    QT_TRANSLATE_NOOP("Told", "The graphics memory ran out; what was made is kept."),
    QT_TRANSLATE_NOOP("Told", "Lower --batch."),
    QT_TRANSLATE_NOOP("Told", "Name a new folder with --out."),
    QT_TRANSLATE_NOOP("Told", "{0} can not be used: {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} holds {1} dialogues that were made otherwise: the model was another."),
    QT_TRANSLATE_NOOP(
        "Told", "{0} holds {1} dialogues that were made otherwise: {2} was {3}, and is {4} now."
    ),
    QT_TRANSLATE_NOOP("Told", "Free some space and give the same command again: what is there is kept."),
    QT_TRANSLATE_NOOP(
        "Told",
        "No dialogue is long enough to learn from: the longest has {0} s, and is cut into stretches"
        " of {1} s.",
    ),
    QT_TRANSLATE_NOOP("Told", "No dialogue is long enough to learn from: the longest has {0} s."),
    QT_TRANSLATE_NOOP("Told", "Lower batch.min_seconds, which is {0}, or raise batch.seconds, which is {1}."),
    QT_TRANSLATE_NOOP("Told", "Lower batch.min_seconds, which is {0}."),
    QT_TRANSLATE_NOOP("Told", "Free some space, or name another disk with --out."),
    QT_TRANSLATE_NOOP("Told", "Name another folder with --out."),
    QT_TRANSLATE_NOOP("Told", "Name an earlier checkpoint with --step, or train with lower rates."),
    QT_TRANSLATE_NOOP("Told", "{0} of {1} holds numbers that are not finite after step {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} does not fit its run: {1} has another shape."),
    QT_TRANSLATE_NOOP("Told", "{0} does not fit its run: {1} is on one side only."),
    QT_TRANSLATE_NOOP("Told", "{0} does not fit its run: {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} is an adapter on {1}, which is one itself."),
    QT_TRANSLATE_NOOP("Told", "Export it with --merge, as a whole model."),
    QT_TRANSLATE_NOOP("Told", "{0} is an adapter on {1}, which predicts the user's voice too."),
    QT_TRANSLATE_NOOP("Told", "Export it with --merge, as a whole model that talks."),
    QT_TRANSLATE_NOOP("Told", "{0} holds something else."),
    QT_TRANSLATE_NOOP("Told", "The {0} to go on with hold a token {1}, and the model knows 0 to {2}."),
    QT_TRANSLATE_NOOP("Told", "Prepare the dialogues for this model."),
    QT_TRANSLATE_NOOP(
        "Told", "Go back to an earlier checkpoint; if there is none, train with lower learning rates."
    ),
    QT_TRANSLATE_NOOP("Told", "The model gives no numbers: its weights are damaged or have diverged."),
    QT_TRANSLATE_NOOP("Told", "Lower the learning rates, and use an earlier checkpoint."),
    QT_TRANSLATE_NOOP(
        "Told", "The voice collapses: the sample has {0} different sounds, before training it had {1}."
    ),
    QT_TRANSLATE_NOOP("Told", "The model falls silent: {0} of the sample's text is padding."),
    QT_TRANSLATE_NOOP("Told", "The held-out loss has not fallen for {0} evaluations; the best is step {1}."),
    QT_TRANSLATE_NOOP(
        "Told", "The held-out loss fell by less than {0} % in {1} evaluations; the best is step {2}."
    ),
    QT_TRANSLATE_NOOP("Told", "The model hardly learns: in {0} steps its loss has changed by less than {1}."),
    QT_TRANSLATE_NOOP("Told", "Train anew with higher learning rates, such as {0} and {1} (depth)."),
    QT_TRANSLATE_NOOP(
        "Told",
        "The voice loses variety: the sample has {0} different sounds and {1} bits of entropy, before"
        " training it had {2} and {3}.",
    ),
    QT_TRANSLATE_NOOP(
        "Told",
        "Listen to the samples; if they sound monotonous, use an earlier checkpoint and lower rates.",
    ),
    QT_TRANSLATE_NOOP("Told", "Saving a checkpoint"),
    QT_TRANSLATE_NOOP("Told", "The loss of step {0} is not a number; it learnt from {1}."),
    QT_TRANSLATE_NOOP(
        "Told", "Look at these dialogues, or lower the learning rates; the checkpoints until then are good."
    ),
    QT_TRANSLATE_NOOP("Told", "It has those after {0}."),
    QT_TRANSLATE_NOOP("Told", "It has none yet."),
    QT_TRANSLATE_NOOP("Told", "{0} has no checkpoint after step {1}."),
    QT_TRANSLATE_NOOP("Told", "Lower batch.seconds, or set base_bits to 8 or 4."),
    QT_TRANSLATE_NOOP("Told", "Go on with it by `aizuchi train --resume {0}`, or choose another name."),
    QT_TRANSLATE_NOOP("Told", "There is a run {0} already."),
    QT_TRANSLATE_NOOP("Told", "The run {0} began with other settings: {1}."),
    QT_TRANSLATE_NOOP(
        "Told",
        "Put them back in {0}, or begin a new run: `aizuchi export {1}`, and name the model that comes of "
        "it.",
    ),
    QT_TRANSLATE_NOOP("Told", "The model {0} is not the one that the run {1} began with."),
    QT_TRANSLATE_NOOP("Told", "The dialogues are not those that the run {0} began with."),
    QT_TRANSLATE_NOOP("Told", "Added since it began: {0}."),
    QT_TRANSLATE_NOOP("Told", "Removed since it began: {0}."),
    QT_TRANSLATE_NOOP("Told", "Changed since it began: {0}."),
    QT_TRANSLATE_NOOP("Told", "Held out now, and learnt from before: {0}."),
    QT_TRANSLATE_NOOP("Told", "Learnt from now, and held out before: {0}."),
    QT_TRANSLATE_NOOP("Told", "They are in another order, or cut otherwise."),
    QT_TRANSLATE_NOOP(
        "Told",
        "Put back what it began with, or begin a new run: `aizuchi export {0}`, and name the model that "
        "comes of it.",
    ),
    QT_TRANSLATE_NOOP("Told", "{0} is damaged, so that nobody knows what {1} learnt from."),
    QT_TRANSLATE_NOOP(
        "Told", "Put back a copy of the file, or export the last checkpoint: `aizuchi export {0}`."
    ),
    QT_TRANSLATE_NOOP("Told", "The learning rates fall over {0} steps now, and fell over {1} before."),
    QT_TRANSLATE_NOOP("Told", "The run began with {0} {1}, and goes on with {2}."),
    QT_TRANSLATE_NOOP("Told", "Its numbers may differ in the last digits."),
    QT_TRANSLATE_NOOP("Told", "The run {0} was begun by an Aizuchi that did not keep what it began with."),
    QT_TRANSLATE_NOOP("Told", "What can be seen of its data is as it was; from now on all of it is kept."),
    QT_TRANSLATE_NOOP("Told", "{0} is not prepared."),
    QT_TRANSLATE_NOOP("Told", "Run `aizuchi data prepare {0}` first."),
    QT_TRANSLATE_NOOP("Told", "{0} was prepared for another model: its {1} is not that of {2}."),
    QT_TRANSLATE_NOOP("Told", "Run `aizuchi data prepare {0} --model {1}`."),
    QT_TRANSLATE_NOOP(
        "Told",
        "Training {0} this way needs about {1} GB of graphics memory, and {2} of {3} GB are free on {4}.",
    ),
    QT_TRANSLATE_NOOP(
        "Told", "Training {0} this way needs about {1} GB of memory, and {2} of {3} GB are free on {4}."
    ),
    QT_TRANSLATE_NOOP(
        "Told", 'Train an adapter, method = "lora", or share the model out to several cards, memory.sharded.'
    ),
    QT_TRANSLATE_NOOP("Told", "Set base_bits = {0}, or lower lora.rank or batch.seconds."),
    QT_TRANSLATE_NOOP("Told", "Lower lora.rank or batch.seconds, or close what else uses the card."),
    QT_TRANSLATE_NOOP("Told", "Only the frozen base of an adapter can be kept in fewer bits."),
    QT_TRANSLATE_NOOP("Told", 'Choose method = "lora".'),
    QT_TRANSLATE_NOOP("Told", "A weight of {0} can not be kept in 4 bits."),
    QT_TRANSLATE_NOOP("Told", "Choose base_bits = 8 or 16."),
    QT_TRANSLATE_NOOP("Told", "A base of {0} bits is not known."),
    QT_TRANSLATE_NOOP("Told", "Choose 16, 8 or 4."),
    QT_TRANSLATE_NOOP("Told", "A model with base_bits = {0} can not be shared out."),
    QT_TRANSLATE_NOOP("Told", "Set base_bits = 16, or let each process keep the whole model."),
    QT_TRANSLATE_NOOP(
        "Told", "loss.user_words teaches the temporal transformer, which the method depth leaves as it is."
    ),
    QT_TRANSLATE_NOOP("Told", "Set it to 0, or choose another method."),
    QT_TRANSLATE_NOOP("Told", "An average of the weights can not be shared out."),
    QT_TRANSLATE_NOOP("Told", "Set optimizer.ema = 0, or let each process keep the whole model."),
    QT_TRANSLATE_NOOP("Told", "The optimizer {0} can not be shared out."),
    QT_TRANSLATE_NOOP("Told", 'Set optimizer.name = "adamw": its state is shared out instead.'),
    QT_TRANSLATE_NOOP(
        "Told", "A step learns from {0} examples, which {1} processes with {2} each can not share evenly."
    ),
    QT_TRANSLATE_NOOP("Told", "Set batch.accumulation so that size x accumulation is a multiple of {0}."),
    QT_TRANSLATE_NOOP("Told", "The optimiser adamw8bit needs a graphics card."),
    QT_TRANSLATE_NOOP("Told", 'Set optimizer.name = "adamw".'),
    QT_TRANSLATE_NOOP("Told", "'{0}' is no training run, so it has no step {1}."),
    QT_TRANSLATE_NOOP("Told", "Leave out --step."),
    QT_TRANSLATE_NOOP("Told", "An echo has nothing to go on with."),
    QT_TRANSLATE_NOOP("Told", "Name a model, a folder or a training run."),
    QT_TRANSLATE_NOOP("Told", "The run {0} has no checkpoint yet."),
    QT_TRANSLATE_NOOP("Told", "Wait for its first evaluation."),
    QT_TRANSLATE_NOOP("Told", "The model predicts the user's voice already."),
    QT_TRANSLATE_NOOP("Told", "Train both voices as it is."),
    QT_TRANSLATE_NOOP("Told", "The model does not predict the user's voice."),
    QT_TRANSLATE_NOOP("Told", "Use it as it is."),
    QT_TRANSLATE_NOOP(
        "Told", "The depth steps of this model share weights, so none can be added for the user's voice."
    ),
    QT_TRANSLATE_NOOP("Told", "Train the model's voice alone."),
    QT_TRANSLATE_NOOP("Told", "The weights have {0}, and their configuration speaks of {1} depth steps."),
    QT_TRANSLATE_NOOP("Told", "The weights lack {0}, and their configuration speaks of {1} depth steps."),
    QT_TRANSLATE_NOOP("Told", "Use the configuration that belongs to the weights."),
    QT_TRANSLATE_NOOP(
        "Told",
        "The model hears {0} codebooks and predicts {1} of them, which are not two voices of the same size.",
    ),
    QT_TRANSLATE_NOOP("Told", "{0}: {1} are {2}."),
    QT_TRANSLATE_NOOP("Told", "{0}: data names no dataset."),
    QT_TRANSLATE_NOOP("Told", "{0} stands in data and in held_out."),
    QT_TRANSLATE_NOOP("Told", "Hold out what is not learnt from."),
    QT_TRANSLATE_NOOP("Told", "{0} of {1} dialogues in held_out are in data as well, such as {2}."),
    QT_TRANSLATE_NOOP(
        "Told", "Take them out of one of both; without held_out a share of data is held out by itself."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} of {1} dialogues in {2} repeat others, such as {3}."),
    QT_TRANSLATE_NOOP("Told", "{0}: batch.min_seconds is above batch.seconds."),
    QT_TRANSLATE_NOOP("Told", "{0}: base_bits {1} is for an adapter, and the method is {2}."),
)

TEMPLATES: tuple[str, ...] = tuple(map(str, _SENTENCES))
