"""What the parts below the window say when something is amiss, as templates for the translators.

Those parts know nothing about Qt and say it in English; {0}, {1} and so on stand for what is filled in. A
test looks for sentences that are missing here.
"""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

# One line each, as they stand in the code.
_SENTENCES = (
    QT_TRANSLATE_NOOP("Told", "The sound system does not answer."),
    QT_TRANSLATE_NOOP("Told", "Restart it, or log out and in again."),
    QT_TRANSLATE_NOOP("Told", "No microphone or no speaker could be opened."),
    QT_TRANSLATE_NOOP("Told", "Plug one in, or check the system's sound settings, and start again."),
    QT_TRANSLATE_NOOP("Told", "There is no microphone."),
    QT_TRANSLATE_NOOP("Told", "There is no speaker."),
    QT_TRANSLATE_NOOP("Told", "Plug one in, or choose one in the system's sound settings."),
    QT_TRANSLATE_NOOP("Told", "The system's default microphone is only the monitor of a speaker."),
    QT_TRANSLATE_NOOP("Told", "Choose a microphone here, or in the system's sound settings."),
    QT_TRANSLATE_NOOP("Told", "The microphone could not be opened."),
    QT_TRANSLATE_NOOP("Told", "The speaker could not be opened."),
    QT_TRANSLATE_NOOP("Told", "Close other programs that use it, or choose another one."),
    QT_TRANSLATE_NOOP("Told", "There is no microphone or no speaker that works; the talk waits."),
    QT_TRANSLATE_NOOP("Told", "There is no microphone; the talk waits."),
    QT_TRANSLATE_NOOP("Told", "The sound system brings what a speaker plays in place of a microphone."),
    QT_TRANSLATE_NOOP(
        "Told", "The sound system brings what a speaker plays, and no microphone; the talk waits."
    ),
    QT_TRANSLATE_NOOP("Told", "The microphone brings no sound."),
    QT_TRANSLATE_NOOP("Told", "The microphone brings no sound; the talk waits."),
    QT_TRANSLATE_NOOP("Told", "The chosen microphone brings no sound; the default microphone is used."),
    QT_TRANSLATE_NOOP("Told", "The speaker plays nothing; what the model says can not be heard."),
    QT_TRANSLATE_NOOP("Told", "The chosen speaker plays nothing; the default speaker is used."),
    QT_TRANSLATE_NOOP("Told", "Check its cable and its switch, or choose another one."),
    QT_TRANSLATE_NOOP("Told", "Wait a moment, or restart it: the talk goes on by itself."),
    QT_TRANSLATE_NOOP("Told", "The sound system does not answer; the talk waits."),
    QT_TRANSLATE_NOOP("Told", "The sound is back."),
    QT_TRANSLATE_NOOP("Told", "There is no speaker; the talk waits."),
    QT_TRANSLATE_NOOP(
        "Told", "The system's default microphone is only the monitor of a speaker; the talk waits."
    ),
    QT_TRANSLATE_NOOP("Told", "The microphone can not be opened; the talk waits."),
    QT_TRANSLATE_NOOP("Told", "The speaker can not be opened; the talk waits."),
    QT_TRANSLATE_NOOP("Told", "“{0}” is no microphone: the model hears what that speaker plays."),
    QT_TRANSLATE_NOOP("Told", "Choose a microphone to speak with the model yourself."),
    QT_TRANSLATE_NOOP(
        "Told",
        "Plug one in, or choose another one in the system's sound settings: the talk goes on by itself.",
    ),
    QT_TRANSLATE_NOOP("Told", "The sound was lost and is being set up again."),
    QT_TRANSLATE_NOOP("Told", "If this comes again, check the cable of the device."),
    QT_TRANSLATE_NOOP("Told", "PortAudio is not installed."),
    QT_TRANSLATE_NOOP("Told", "Install it: sudo apt install libportaudio2."),
    QT_TRANSLATE_NOOP("Told", "The microphone “{0}” is not there; the default microphone is used."),
    QT_TRANSLATE_NOOP("Told", "The speaker “{0}” is not there; the default speaker is used."),
    QT_TRANSLATE_NOOP("Told", "Plug it in again and start a new talk to use it, or choose another one."),
    QT_TRANSLATE_NOOP("Told", "Echo can not be cancelled here: {0}."),
    QT_TRANSLATE_NOOP("Told", "Use headphones, or set up the Python environment anew."),
    QT_TRANSLATE_NOOP("Told", "The audio file {0} is empty."),
    QT_TRANSLATE_NOOP("Told", "Choose a file with some sound in it."),
    QT_TRANSLATE_NOOP("Told", "The audio file {0} holds values that are not numbers."),
    QT_TRANSLATE_NOOP("Told", "Export it anew as 16-bit WAV or FLAC."),
    QT_TRANSLATE_NOOP("Told", "There is no audio file {0}."),
    QT_TRANSLATE_NOOP("Told", "Check the name and the folder."),
    QT_TRANSLATE_NOOP("Told", "The file {0} can not be read as audio: {1}"),
    QT_TRANSLATE_NOOP("Told", "Choose a WAV, FLAC, Ogg or MP3 file."),
    QT_TRANSLATE_NOOP("Told", "{0} holds other files."),
    QT_TRANSLATE_NOOP("Told", "Name a new or an empty folder for the dataset."),
    QT_TRANSLATE_NOOP("Told", "The dataset {0} can not be made: {1}."),
    QT_TRANSLATE_NOOP("Told", "Choose another folder."),
    QT_TRANSLATE_NOOP("Told", "{0} was made by a newer Aizuchi."),
    QT_TRANSLATE_NOOP("Told", "Update the program."),
    QT_TRANSLATE_NOOP("Told", "There is no dataset in {0}."),
    QT_TRANSLATE_NOOP("Told", "Make one with `aizuchi data import`."),
    QT_TRANSLATE_NOOP("Told", "{0} is damaged."),
    QT_TRANSLATE_NOOP("Told", "Import the dialogues again."),
    QT_TRANSLATE_NOOP("Told", "The words {0} are missing."),
    QT_TRANSLATE_NOOP("Told", "Transcribe the dialogue, or import it again."),
    QT_TRANSLATE_NOOP("Told", "{0} can not be read: {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} does not hold words with times."),
    QT_TRANSLATE_NOOP("Told", "There is no device '{0}' that PyTorch can use."),
    QT_TRANSLATE_NOOP("Told", "Choose {0} or one of {1}."),
    QT_TRANSLATE_NOOP(
        "Told", "{0} needs code compiled for the graphics card to run in {1} with keys in {2}."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} was written by a newer version of Aizuchi."),
    QT_TRANSLATE_NOOP("Told", "Update Aizuchi, or make the file again with `aizuchi quantize`."),
    QT_TRANSLATE_NOOP("Told", "{0} has {1} codes, and the language model {2} expects {3}."),
    QT_TRANSLATE_NOOP("Told", "Use the Mimi that the model was trained with."),
    QT_TRANSLATE_NOOP("Told", "{0} has {1} pieces, and the model expects {2}."),
    QT_TRANSLATE_NOOP(
        "Told", "Use the tokenizer that the model was trained with; another would speak other words."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} describes no model that moshi can build: {1}."),
    QT_TRANSLATE_NOOP("Told", "Copy or download the configuration again."),
    QT_TRANSLATE_NOOP("Told", "{0} does not fit its configuration: {1}."),
    QT_TRANSLATE_NOOP(
        "Told", "The file belongs to another model, or to another configuration: copy or download both again."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} is no SentencePiece model, or it is damaged."),
    QT_TRANSLATE_NOOP("Told", "{0} has no {1}."),
    QT_TRANSLATE_NOOP("Told", "Copy it there, or name the model that has it as the base (--base)."),
    QT_TRANSLATE_NOOP("Told", "There is no model called '{0}'."),
    QT_TRANSLATE_NOOP("Told", "Name one of {0}, tiny or echo, a folder, or a hub repository as owner/name."),
    QT_TRANSLATE_NOOP("Told", "{0} is not a JSON object."),
    QT_TRANSLATE_NOOP("Told", "{0} is not valid JSON: it {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} describes no model that moshi can build: it has the unknown setting {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} has a strange value for model_type: {1}."),
    QT_TRANSLATE_NOOP("Told", "It has to be a whole number from {0} to {1}."),
    QT_TRANSLATE_NOOP("Told", "It has to be a number from {0} to {1}."),
    QT_TRANSLATE_NOOP("Told", "It has to be a list of whole numbers from {0} to {1}."),
    QT_TRANSLATE_NOOP("Told", "It has to be true or false."),
    QT_TRANSLATE_NOOP("Told", "It has to be true."),
    QT_TRANSLATE_NOOP("Told", "It has to be false."),
    QT_TRANSLATE_NOOP("Told", "It has to be a word."),
    QT_TRANSLATE_NOOP("Told", "It has to be a table of settings."),
    QT_TRANSLATE_NOOP("Told", "It has to name a file of the folder, or of the hub as hf://owner/name/file."),
    QT_TRANSLATE_NOOP("Told", "{0} describes a model that writes down speech (STT), not one for dialogue."),
    QT_TRANSLATE_NOOP("Told", "{0} describes a model that reads text aloud (TTS), not one for dialogue."),
    QT_TRANSLATE_NOOP("Told", "{0} describes a model that needs conditions, not one for dialogue."),
    QT_TRANSLATE_NOOP("Told", "{0} does not fit its configuration: {1} is {2} in {3}, and {4} here."),
    QT_TRANSLATE_NOOP("Told", "{0} does not fit its configuration: {1} is kept as {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} is a Git LFS pointer, not the file itself."),
    QT_TRANSLATE_NOOP(
        "Told", "Fetch the file itself with `git lfs pull` in its folder, or download it from the hub."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} is too long: it should have {1} bytes and has {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} keeps {1} as {2}, which is not known."),
    QT_TRANSLATE_NOOP("Told", "Convert it to float32, float16 or bfloat16, or choose another model."),
    QT_TRANSLATE_NOOP("Told", "{0} does not say which file holds which tensor."),
    QT_TRANSLATE_NOOP("Told", "{0} does not say that {1} is in {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} is both in {1} and in {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} lacks {1}, which {2} names."),
    QT_TRANSLATE_NOOP("Told", "{0} has no {1}, which {2} names."),
    QT_TRANSLATE_NOOP("Told", "{0} names {1} files."),
    QT_TRANSLATE_NOOP("Told", "{0} names {1}, which is no safetensors file in its folder."),
    QT_TRANSLATE_NOOP("Told", "{0} holds numbers that are not finite (NaN or infinity), in {1}."),
    QT_TRANSLATE_NOOP(
        "Told", "The file is damaged, or its training diverged: download it again, or choose another model."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} holds numbers too large for {1}, in {2}."),
    QT_TRANSLATE_NOOP("Told", "Choose another model, or a graphics card that computes in bfloat16."),
    QT_TRANSLATE_NOOP("Told", "{0} is one file of a model, not its folder."),
    QT_TRANSLATE_NOOP("Told", "Name its folder: {0}."),
    QT_TRANSLATE_NOOP("Told", "Check the name and where it lies."),
    QT_TRANSLATE_NOOP("Told", "{0} shows a revision of its own."),
    QT_TRANSLATE_NOOP("Told", "Name the repository as owner/name; its newest state is taken."),
    QT_TRANSLATE_NOOP("Told", "{0} needs {1} of {2}, which is not on this computer."),
    QT_TRANSLATE_NOOP("Told", "Download it with `aizuchi models download {0}`."),
    QT_TRANSLATE_NOOP("Told", "{0} is an adapter on {1}, which is not there."),
    QT_TRANSLATE_NOOP("Told", "Put it back, or name the model as the base (--base)."),
    QT_TRANSLATE_NOOP("Told", "{0} is not the file that this version of Aizuchi knows."),
    QT_TRANSLATE_NOOP("Told", "Update Aizuchi: the makers of the model may have published it anew."),
    QT_TRANSLATE_NOOP("Told", "The cache of {0} is damaged: {1}."),
    QT_TRANSLATE_NOOP("Told", "Delete {0}, and try again."),
    QT_TRANSLATE_NOOP("Told", "{0} has a strange value for {1}: {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} describes a model of the kind '{1}', not one for dialogue."),
    QT_TRANSLATE_NOOP("Told", "{0} says nothing about {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} describes a model that speaks for the user too (dep_q {1})."),
    QT_TRANSLATE_NOOP("Told", "{0} describes no dialogue model: {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} holds no model that could be recognised."),
    QT_TRANSLATE_NOOP("Told", "{0} has no {1}, and {2} is not a Moshi 7B."),
    QT_TRANSLATE_NOOP("Told", "{0} is a LoRA adapter, but its configuration does not say so."),
    QT_TRANSLATE_NOOP(
        "Told", "{0} is a LoRA adapter, and its base has 8-bit weights: they do not go together."
    ),
    QT_TRANSLATE_NOOP("Told", "Choose the full-precision model as the base."),
    QT_TRANSLATE_NOOP("Told", "The base {0} is an adapter itself."),
    QT_TRANSLATE_NOOP("Told", "{0} has no {1}, so its shape is not known."),
    QT_TRANSLATE_NOOP("Told", "{0} on the hub has no file {1}."),
    QT_TRANSLATE_NOOP("Told", "{0} needs {1} GB of graphics memory, and {2} of {3} GB are free on {4}."),
    QT_TRANSLATE_NOOP("Told", "{0} needs {1} GB of memory, and {2} of {3} GB are free on {4}."),
    QT_TRANSLATE_NOOP("Told", "With --mode {0} it needs {1} GB."),
    QT_TRANSLATE_NOOP("Told", "With a context of {0} frames ({1} s) it needs {2} GB."),
    QT_TRANSLATE_NOOP("Told", "Close other programs that use the memory, or choose a smaller model."),
    QT_TRANSLATE_NOOP("Told", "Close other programs that use the graphics card, or choose a smaller model."),
    QT_TRANSLATE_NOOP("Told", "The weights of {0} are kept in {1}, not in {2}."),
    QT_TRANSLATE_NOOP("Told", "Leave out --mode, or choose the whole model."),
    QT_TRANSLATE_NOOP("Told", "{0} can not be kept in {1}: packed weights do not go with {2}."),
    QT_TRANSLATE_NOOP("Told", "Leave out --mode or --engine, or choose --mode bf16."),
    QT_TRANSLATE_NOOP("Told", "Keys and values of {0} can not be kept in {1}: that does not go with {2}."),
    QT_TRANSLATE_NOOP("Told", "Leave out --kv or --engine."),
    QT_TRANSLATE_NOOP("Told", "{0} is not on this computer, and the hub can not be reached."),
    QT_TRANSLATE_NOOP("Told", "Connect to the network, or copy the model into a folder and choose that."),
    QT_TRANSLATE_NOOP("Told", "{0} is not on this computer."),
    QT_TRANSLATE_NOOP("Told", "Download it on the Models page, or with `aizuchi models download`."),
    QT_TRANSLATE_NOOP("Told", "{0} is not on this computer, and downloads are switched off."),
    QT_TRANSLATE_NOOP(
        "Told", "Download it on the Models page, or run `aizuchi models download` without HF_HUB_OFFLINE."
    ),
    QT_TRANSLATE_NOOP("Told", "{0} asks you to accept its licence first."),
    QT_TRANSLATE_NOOP(
        "Told", "Accept it at {0}, then give a token of yours under Settings, or `hf auth login`."
    ),
    QT_TRANSLATE_NOOP("Told", "There is no repository {0} on the hub, or it is private."),
    QT_TRANSLATE_NOOP(
        "Told", "Look for it at {0}; a private one needs a token (Settings, or `hf auth login`)."
    ),
    QT_TRANSLATE_NOOP("Told", "The download of {0} broke off: {1}."),
    QT_TRANSLATE_NOOP(
        "Told", "Check the network and the room on the disk, then try again: it goes on where it stopped."
    ),
    QT_TRANSLATE_NOOP("Told", "A context of {0} frames is too short to talk."),
    QT_TRANSLATE_NOOP("Told", "Choose 375 (30 s) or more."),
    QT_TRANSLATE_NOOP("Told", "Name the right model with --base."),
    QT_TRANSLATE_NOOP("Told", "The graphics memory ran out while {0} was loaded."),
    QT_TRANSLATE_NOOP("Told", "torch.compile does not work here, so that each frame takes a little longer."),
    QT_TRANSLATE_NOOP("Told", "The log holds the reason; Python's header files may be missing."),
    QT_TRANSLATE_NOOP("Told", "Install a C compiler, for example with `sudo apt-get install gcc`."),
    QT_TRANSLATE_NOOP(
        "Told", "{0} can not be read: {1}. Check the disk, or copy or download the file again."
    ),
    QT_TRANSLATE_NOOP("Told", "Check the disk, or copy or download the file again."),
    QT_TRANSLATE_NOOP("Told", "The fast engine does not cover a model with {0}."),
    QT_TRANSLATE_NOOP("Told", "Choose --engine moshi."),
    QT_TRANSLATE_NOOP("Told", "moshi's own engine takes nothing packed."),
    QT_TRANSLATE_NOOP("Told", "Leave out --engine."),
    QT_TRANSLATE_NOOP("Told", "{0} is not a safetensors file, or it is damaged."),
    QT_TRANSLATE_NOOP(
        "Told",
        "Download it again; checkpoints of other formats (.pt, .bin, .gguf) have to be converted first.",
    ),
    QT_TRANSLATE_NOOP("Told", "{0} is cut short: it should have {1} bytes and has {2}."),
    QT_TRANSLATE_NOOP("Told", "Copy or download it again."),
    QT_TRANSLATE_NOOP("Told", "Check the path and try again."),
    QT_TRANSLATE_NOOP("Told", "{0} needs {1} GB more, and {2} GB are free in {3}."),
    QT_TRANSLATE_NOOP("Told", "Free some space, or let HF_HOME name a folder on another disk."),
    QT_TRANSLATE_NOOP("Told", "{0} is not on this computer."),
    QT_TRANSLATE_NOOP("Told", "Fetch it with `aizuchi models download {0}`."),
    QT_TRANSLATE_NOOP("Told", "{0} is damaged: its SHA-256 is not the one that the hub tells."),
    QT_TRANSLATE_NOOP("Told", "Delete {0} and download it again."),
    QT_TRANSLATE_NOOP("Told", "{0} is in use: `{1}` is at work on it (process {2})."),
    QT_TRANSLATE_NOOP("Told", "Wait until it has ended, or end it."),
    QT_TRANSLATE_NOOP("Told", "{0} is in use: `{1}` is at work on it on {2}."),
    QT_TRANSLATE_NOOP("Told", "{0} is in use: `{1}` is at work on it in another container."),
    QT_TRANSLATE_NOOP("Told", "Wait until it has ended there, or end it there."),
    QT_TRANSLATE_NOOP("Told", "{0} may be in use on {1}: its disk knows no locks."),
    QT_TRANSLATE_NOOP("Told", "If nothing is at work on it there, delete {0}."),
    QT_TRANSLATE_NOOP("Told", "{0} is in use by another program."),
    QT_TRANSLATE_NOOP("Told", "Wait until it has ended."),
    QT_TRANSLATE_NOOP("Told", "{0} holds no recording."),
    QT_TRANSLATE_NOOP("Told", "Choose a file that Aizuchi has written."),
    QT_TRANSLATE_NOOP("Told", "{0} can not be written: {1}."),
    QT_TRANSLATE_NOOP("Told", "Choose a folder that can be written and has room."),
    QT_TRANSLATE_NOOP("Told", "{0} can not be opened as a recording: {1}."),
    QT_TRANSLATE_NOOP("Told", "Copy the file again, and check the disk."),
    QT_TRANSLATE_NOOP("Told", "{0} holds {1} twice."),
    QT_TRANSLATE_NOOP("Told", "{0} holds {1} larger than that of any recording."),
    QT_TRANSLATE_NOOP("Told", "{0} is encrypted."),
    QT_TRANSLATE_NOOP("Told", "Unpack it with its password, and pack it without one."),
    QT_TRANSLATE_NOOP("Told", "The disk is full: {0} can not be unpacked."),
    QT_TRANSLATE_NOOP("Told", "Free some space, and open it again."),
    QT_TRANSLATE_NOOP("Told", "Free some space. The recording itself is kept."),
    QT_TRANSLATE_NOOP("Told", "Free some space, and try again."),
    QT_TRANSLATE_NOOP("Told", "{0} can not be written: the disk is read-only."),
    QT_TRANSLATE_NOOP("Told", "Name a folder on another disk."),
    QT_TRANSLATE_NOOP("Told", "There is no recording in {0}."),
    QT_TRANSLATE_NOOP("Told", "A recording holds {0} or {1}."),
    QT_TRANSLATE_NOOP("Told", "The recording {0} could not be exported to {1}: {2}"),
    QT_TRANSLATE_NOOP("Told", "There is no training run '{0}'."),
    QT_TRANSLATE_NOOP("Told", "There is no training run in {0}."),
    QT_TRANSLATE_NOOP("Told", "Begin one with `aizuchi train CONFIG.toml`."),
    QT_TRANSLATE_NOOP("Told", "Put back a copy of the file, or begin another run."),
    QT_TRANSLATE_NOOP("Told", "This system has no keyring that the token could be kept in."),
    QT_TRANSLATE_NOOP(
        "Told", "Install GNOME Keyring or KWallet, or log in with `hf auth login`, which uses a file."
    ),
    QT_TRANSLATE_NOOP("Told", "The log holds the details."),
    QT_TRANSLATE_NOOP("Told", "No model is loaded."),
    QT_TRANSLATE_NOOP("Told", "Choose a model first."),
    QT_TRANSLATE_NOOP("Told", "The model could not be loaded."),
    QT_TRANSLATE_NOOP("Told", "The talk broke off."),
    QT_TRANSLATE_NOOP("Told", "The graphics memory ran out."),
    QT_TRANSLATE_NOOP("Told", "Close other programs that use the card, or load the model in fewer bits."),
    QT_TRANSLATE_NOOP("Told", "The graphics card does not answer any more."),
    QT_TRANSLATE_NOOP(
        "Told", "Start Aizuchi again; if that does not help, restart the computer or update the driver."
    ),
    QT_TRANSLATE_NOOP("Told", "The file {0} is gone."),
    QT_TRANSLATE_NOOP("Told", "Download the model again, or choose another one."),
    QT_TRANSLATE_NOOP("Told", "Code for the graphics card could not be compiled."),
    QT_TRANSLATE_NOOP(
        "Told", "Install a C compiler (`sudo apt-get install gcc python3-dev`), or start with --engine moshi."
    ),
    QT_TRANSLATE_NOOP("Told", "The talk is not recorded: {0}."),
    QT_TRANSLATE_NOOP("Told", "The disk took nothing for {0} seconds; the recording ended."),
    QT_TRANSLATE_NOOP("Told", "Check the disk."),
    QT_TRANSLATE_NOOP("Told", "The computer was asleep, so the recording ended."),
    QT_TRANSLATE_NOOP("Told", "There was no sound for more than a minute, so the recording ended."),
    QT_TRANSLATE_NOOP("Told", "A new recording starts as soon as the talk goes on."),
    QT_TRANSLATE_NOOP("Told", "The recording reached {0} hours and ended."),
    QT_TRANSLATE_NOOP("Told", "Switch recording off and on again to begin a new one."),
    QT_TRANSLATE_NOOP("Told", "The disk is full; the recording ended after {0}."),
    QT_TRANSLATE_NOOP("Told", "Free some space. What was recorded until then is kept."),
    QT_TRANSLATE_NOOP("Told", "The recording ended after {0}, since the disk refused it: {1}."),
    QT_TRANSLATE_NOOP("Told", "Check the disk. What was recorded until then is kept."),
    QT_TRANSLATE_NOOP("Told", "The settings file is of version {0}, which this Aizuchi does not know."),
    QT_TRANSLATE_NOOP("Told", "The setting “{0}” must be one of {1}, not {2}."),
    QT_TRANSLATE_NOOP("Told", "The setting “{0}” must be {1}, not {2}."),
    QT_TRANSLATE_NOOP("Told", "The settings could not be read: {0}."),
    QT_TRANSLATE_NOOP("Told", "The settings file is damaged: {0}."),
    QT_TRANSLATE_NOOP("Told", "Defaults are used this time."),
    QT_TRANSLATE_NOOP("Told", "Defaults are used; the file {0}."),
    QT_TRANSLATE_NOOP("Told", "The settings could not be saved: {0}."),
    QT_TRANSLATE_NOOP("Told", "Check the folder and its disk; the settings hold until the program ends."),
    QT_TRANSLATE_NOOP("Told", "There is no setting “{0}”."),
    QT_TRANSLATE_NOOP("Told", "It is left out."),
    QT_TRANSLATE_NOOP("Told", "The setting “{0}” must be between {1} and {2}, not {3}."),
    QT_TRANSLATE_NOOP("Told", "The setting “{0}” must be text in one line, not {1}."),
    QT_TRANSLATE_NOOP("Told", "Its default is used."),
    QT_TRANSLATE_NOOP("Told", "The recording could not be played: {0}."),
    QT_TRANSLATE_NOOP(
        "Told", "Check that a speaker is connected and chosen in the sound settings of the system."
    ),
    QT_TRANSLATE_NOOP(
        "Told", "The file may be damaged or may have been moved; the transcript can still be exported."
    ),
    QT_TRANSLATE_NOOP("Told", "Check the folder for recordings and its disk."),
    QT_TRANSLATE_NOOP(
        "Told", 'It has to hold [{"speaker": "A" or "B", "word", "start", "end"}, …], times in seconds.'
    ),
    QT_TRANSLATE_NOOP("Told", "Use a Mimi of {0} Hz and {1} frames a second."),
    QT_TRANSLATE_NOOP("Told", "Download its files into a folder together with a {0}, and choose the folder."),
    QT_TRANSLATE_NOOP("Told", "{0} does not say {1}; that of {2} (English) is assumed."),
    QT_TRANSLATE_NOOP("Told", "Name the full model that it was trained on as the base."),
    QT_TRANSLATE_NOOP("Told", "Look at the files of the repository: it may be of another kind."),
    QT_TRANSLATE_NOOP("Told", "Choose a Moshi for dialogue, for example one of `aizuchi models list`."),
    QT_TRANSLATE_NOOP(
        "Told", "A finetune by nu-dialogue needs tools.clean_moshi --remove_modules_for_user_stream first."
    ),
    QT_TRANSLATE_NOOP("Told", "A model's folder holds at least {0} and {1}."),
    QT_TRANSLATE_NOOP("Told", "Put the {0} that belongs to it into the folder."),
    QT_TRANSLATE_NOOP("Told", "The {0} beside it needs lora, lora_rank and lora_scaling."),
    QT_TRANSLATE_NOOP("Told", "There are {0}."),
    QT_TRANSLATE_NOOP(
        "Told", "Run packaging/talk again, or `aizuchi --repair` if it was installed as a package."
    ),
    QT_TRANSLATE_NOOP("Told", "Use Python 3.10 to 3.13; `uv sync` in the clone fetches one."),
    QT_TRANSLATE_NOOP("Told", "Run packaging/talk, or `uv sync` in the clone."),
    QT_TRANSLATE_NOOP(
        "Told", "A card before Ampere (RTX 30, A100) has no bfloat16; models run in float16 there."
    ),
    QT_TRANSLATE_NOOP(
        "Told",
        "Models run on the processor instead; for the card install a PyTorch that was built for it.",
    ),
    QT_TRANSLATE_NOOP("Told", "Close what else uses the card; the smallest known model needs {0} GB."),
    QT_TRANSLATE_NOOP(
        "Told", "Loading a model of 15 GB takes longer with less than 16 GB; close other programs."
    ),
    QT_TRANSLATE_NOOP(
        "Told",
        "On a graphics card the first talk compiles some code: `sudo apt-get install gcc python3-dev`.",
    ),
    QT_TRANSLATE_NOOP(
        "Told", "`sudo apt-get install libportaudio2 libasound2-plugins`, or run packaging/talk."
    ),
    QT_TRANSLATE_NOOP(
        "Told",
        "`sudo apt-get install pulseaudio-utils`, or monitors of speakers may pass as microphones.",
    ),
    QT_TRANSLATE_NOOP(
        "Told", "Choose a microphone in the system's sound settings, or name one with --microphone."
    ),
    QT_TRANSLATE_NOOP(
        "Told", "Plug one in or choose one in the system's sound settings; a headless talk needs none."
    ),
    QT_TRANSLATE_NOOP(
        "Told",
        "Without a display, `aizuchi talk` is headless; libraries that are missing come with packaging/talk.",
    ),
    QT_TRANSLATE_NOOP("Told", "Make room, or talk with --no-record."),
    QT_TRANSLATE_NOOP("Told", "The largest known model takes {0} GB; HF_HOME names another disk."),
    QT_TRANSLATE_NOOP("Told", "Install Aizuchi again: `starter` comes with it."),
    QT_TRANSLATE_NOOP(
        "Told", "A model that the fast engine does not cover runs with moshi's own, in whole weights."
    ),
    QT_TRANSLATE_NOOP("Told", "Install the driver for your card."),
    QT_TRANSLATE_NOOP("Told", "The driver is older than CUDA {0} wants; update it."),
    QT_TRANSLATE_NOOP("Told", "Install PyTorch for CUDA."),
    QT_TRANSLATE_NOOP(
        "Told", "The large models need an NVIDIA card with 8 GB or more; `starter` runs on the processor."
    ),
    QT_TRANSLATE_NOOP("Told", "`sudo apt-get install fonts-noto-cjk`, or Japanese words show as boxes."),
)

TEMPLATES: tuple[str, ...] = tuple(map(str, _SENTENCES))
