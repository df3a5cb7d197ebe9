<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>About</name>
    <message>
        <source>Look over this computer</source>
        <translation>このコンピューターを点検</translation>
    </message>
    <message>
        <source>Show what is here and what is missing, and copy it for a bug report</source>
        <translation>あるものと足りないものを表示し、不具合報告用にコピーします</translation>
    </message>
    <message>
        <source>Python {0}, PySide6 {1}. Free software under the MIT licence.</source>
        <translation>Python {0}、PySide6 {1}。MIT ライセンスの自由ソフトウェアです。</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>点検の結果</translation>
    </message>
    <message>
        <source>Looking over this computer…</source>
        <translation>このコンピューターを調べています…</translation>
    </message>
    <message>
        <source>This computer could not be looked over.</source>
        <translation>このコンピューターを調べられませんでした。</translation>
    </message>
    <message>
        <source>`aizuchi doctor` ended without a word.</source>
        <translation>`aizuchi doctor` が何も出力せずに終了しました。</translation>
    </message>
    <message>
        <source>Copied, for a bug report: paste it below your description of what happened.</source>
        <translation>不具合報告用にコピーしました。何が起きたかの説明の下に貼り付けてください。</translation>
    </message>
</context>
<context>
    <name>ActionBar</name>
    <message>
        <source>Progress</source>
        <translation>進捗</translation>
    </message>
</context>
<context>
    <name>App</name>
    <message>
        <source>Aizuchi ended unexpectedly the last time.</source>
        <translation>前回、Aizuchi は予期せず終了しました。</translation>
    </message>
    <message>
        <source>Open a recording</source>
        <translation>録音を開く</translation>
    </message>
    <message>
        <source>Something went wrong in the window: {0}</source>
        <translation>ウィンドウで問題が発生しました: {0}</translation>
    </message>
    <message>
        <source>An error in the window: {0}</source>
        <translation>ウィンドウのエラー: {0}</translation>
    </message>
    <message>
        <source>The log holds the details.</source>
        <translation>詳しくはログをご覧ください。</translation>
    </message>
</context>
<context>
    <name>Axis</name>
    <message>
        <source>-{seconds} s</source>
        <translation>-{seconds} 秒</translation>
    </message>
    <message>
        <source>now</source>
        <translation>現在</translation>
    </message>
</context>
<context>
    <name>CardList</name>
    <message>
        <source>Recordings, newest first</source>
        <translation>録音（新しい順）</translation>
    </message>
    <message>
        <source>Click, or press Return, to open a talk</source>
        <translation>クリックまたは Return で会話を開く</translation>
    </message>
</context>
<context>
    <name>CheckData</name>
    <message>
        <source>The dataset {0} was not checked yet.</source>
        <translation>データセット {0} はまだ確認されていません。</translation>
    </message>
    <message>
        <source>Run `aizuchi data check {0}` first.</source>
        <translation>先に `aizuchi data check {0}` を実行してください。</translation>
    </message>
    <message>
        <source>{0} can not be read.</source>
        <translation>{0} を読み取れません。</translation>
    </message>
    <message>
        <source>Run `aizuchi data check {0}` again.</source>
        <translation>もう一度 `aizuchi data check {0}` を実行してください。</translation>
    </message>
</context>
<context>
    <name>CheckPictures</name>
    <message>
        <source>Model (A)</source>
        <translation>モデル (A)</translation>
    </message>
    <message>
        <source>User (B)</source>
        <translation>ユーザー (B)</translation>
    </message>
    <message>
        <source>{0} %</source>
        <translation>{0} %</translation>
    </message>
    <message>
        <source>{0} · {1}</source>
        <translation>{0} · {1}</translation>
    </message>
    <message>
        <source>Both at once</source>
        <translation>同時発話</translation>
    </message>
    <message>
        <source>How much of the time each voice speaks; the model learns when to speak from this.</source>
        <translation>それぞれの声が話している時間の割合です。モデルはここから話すタイミングを学びます。</translation>
    </message>
    <message>
        <source>Speech</source>
        <translation>発話</translation>
    </message>
    <message>
        <source>Text tokens in each second of the dialogues: how much there is to say in the time.</source>
        <translation>対話 1 秒あたりのテキストトークン数です。話す内容の密度を表します。</translation>
    </message>
    <message>
        <source>Token rate</source>
        <translation>トークン密度</translation>
    </message>
    <message>
        <source>The share of the text stream in which there is no text: silence, and words that last.</source>
        <translation>テキストストリームのうち、テキストのない部分の割合です。無音と、長く続く単語が当たります。</translation>
    </message>
    <message>
        <source>Padding</source>
        <translation>パディング</translation>
    </message>
    <message>
        <source>The share of text tokens that are a bare ▁, a space without letters. Japanese above 10 % is refused: the model would learn to say spaces.</source>
        <translation>テキストトークンのうち、文字のない空白（▁ だけ）の割合です。日本語で 10 % を超えると、モデルが空白を話すように学んでしまうため、学習できません。</translation>
    </message>
    <message>
        <source>Bare ▁</source>
        <translation>単独の ▁</translation>
    </message>
    <message>
        <source>Turns</source>
        <translation>ターン</translation>
    </message>
    <message>
        <source>Pauses</source>
        <translation>間（ま）</translation>
    </message>
    <message>
        <source>Gaps</source>
        <translation>間隔</translation>
    </message>
    <message>
        <source>Overlaps</source>
        <translation>発話の重なり</translation>
    </message>
    <message>
        <source>Backchannels</source>
        <translation>相槌</translation>
    </message>
    <message>
        <source>{0} / min</source>
        <translation>{0} / 分</translation>
    </message>
    <message>
        <source>What happens each minute; a pause is a silence within a turn, a gap one between two.</source>
        <translation>1 分あたりの回数です。間（ま）はターンの中の無音、間隔はターンとターンの間の無音です。</translation>
    </message>
    <message>
        <source>Turn-taking</source>
        <translation>ターンの交替</translation>
    </message>
    <message>
        <source>1 dialogue</source>
        <translation>対話 1 件</translation>
    </message>
    <message>
        <source>{0} dialogues</source>
        <translation>対話 {0} 件</translation>
    </message>
    <message>
        <source>{0}, {1} to {2}</source>
        <translation>{0}、{1}～{2}</translation>
    </message>
    <message>
        <source>How long the dialogues are. Training cuts out stretches; very short ones are left out.</source>
        <translation>対話の長さです。学習では一部を切り出して使い、ごく短いものは使いません。</translation>
    </message>
    <message>
        <source>Lengths</source>
        <translation>長さ</translation>
    </message>
    <message>
        <source>no words</source>
        <translation>言葉なし</translation>
    </message>
    <message>
        <source>not prepared yet</source>
        <translation>未準備</translation>
    </message>
    <message>
        <source>{0} tokens/s</source>
        <translation>{0} トークン/秒</translation>
    </message>
    <message>
        <source>limit {0}</source>
        <translation>上限 {0}</translation>
    </message>
    <message>
        <source>{0} h</source>
        <translation>{0} 時間</translation>
    </message>
    <message>
        <source>{0} min</source>
        <translation>{0} 分</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} 秒</translation>
    </message>
</context>
<context>
    <name>CheckSheet</name>
    <message>
        <source>Check again</source>
        <translation>もう一度確認</translation>
    </message>
    <message>
        <source>Look at the sound and the words anew</source>
        <translation>音声と言葉を調べ直す</translation>
    </message>
    <message>
        <source>Checking…</source>
        <translation>確認中…</translation>
    </message>
    <message>
        <source>Dialogues</source>
        <translation>対話</translation>
    </message>
</context>
<context>
    <name>CheckStep</name>
    <message>
        <source>Nothing to check yet</source>
        <translation>確認するものはまだありません</translation>
    </message>
    <message>
        <source>Choose what the model learns from first; then you see here what that is.</source>
        <translation>先に学習に使うデータを選んでください。その内容がここに表示されます。</translation>
    </message>
    <message>
        <source>Looking at {0}</source>
        <translation>{0} を調べています</translation>
    </message>
    <message>
        <source>The sound and the words of every dialogue are read; an hour takes some seconds.</source>
        <translation>すべての対話の音声と言葉を読み取っています。1 時間分で数秒かかります。</translation>
    </message>
    <message>
        <source>The check ended with status {0}.</source>
        <translation>確認が状態 {0} で終了しました。</translation>
    </message>
    <message>
        <source>Try again; the log of the program tells more.</source>
        <translation>もう一度試してください。詳しくはプログラムのログをご覧ください。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>Look at the dataset again</source>
        <translation>データセットを調べ直す</translation>
    </message>
</context>
<context>
    <name>CheckWords</name>
    <message>
        <source>1 dialogue</source>
        <translation>対話 1 件</translation>
    </message>
    <message>
        <source>{0} dialogues</source>
        <translation>対話 {0} 件</translation>
    </message>
    <message>
        <source>Training refuses this dataset; what has to be mended is below.</source>
        <translation>このデータセットでは学習できません。直すべき点を下に示します。</translation>
    </message>
    <message>
        <source>Nothing odd was found.</source>
        <translation>おかしな点は見つかりませんでした。</translation>
    </message>
    <message>
        <source>One thing is odd; look at it before you train.</source>
        <translation>おかしな点が 1 件あります。学習の前に見てください。</translation>
    </message>
    <message>
        <source>{0} things are odd; look at them before you train.</source>
        <translation>おかしな点が {0} 件あります。学習の前に見てください。</translation>
    </message>
</context>
<context>
    <name>ConsentDialog</name>
    <message>
        <source>Whose voice is it?</source>
        <translation>誰の声ですか?</translation>
    </message>
    <message>
        <source>Name of the speaker</source>
        <translation>話している人の名前</translation>
    </message>
    <message>
        <source>It is my own voice, or this person agrees</source>
        <translation>自分の声である、または本人の同意を得ている</translation>
    </message>
    <message>
        <source>They agree that a model on this computer speaks with their voice</source>
        <translation>このコンピューターのモデルがその声で話すことに、本人が同意している</translation>
    </message>
    <message>
        <source>Use this voice</source>
        <translation>この声を使う</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>A model can say anything with the voice of a person, as if they had said it. Use a voice only if it is your own, or if that person has allowed you to.</source>
        <translation>モデルは、その人が実際に話したかのように、どんなことでも話せてしまいます。自分の声か、本人の許可を得た声だけを使ってください。</translation>
    </message>
    <message>
        <source>3 to 10 s in which nobody else speaks are best; {0} s are the most.</source>
        <translation>3～10 秒で、ほかの人の声が入っていないものが最適です（最長 {0} 秒）。</translation>
    </message>
    <message>
        <source>Your answer stays on this computer and can be revoked under Settings.</source>
        <translation>回答はこのコンピューターにだけ保存され、「設定」でいつでも取り消せます。</translation>
    </message>
</context>
<context>
    <name>Conversation</name>
    <message>
        <source>Plug in a headset and start again.</source>
        <translation>ヘッドセットを接続して、もう一度開始してください。</translation>
    </message>
</context>
<context>
    <name>CrashDialog</name>
    <message>
        <source>Something went wrong</source>
        <translation>問題が起きました</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>レポート</translation>
    </message>
    <message>
        <source>Recordings are whole until the moment it happened. If it comes again, copy the report and send it to the developers: it tells versions and the log, not what was said or who you are.</source>
        <translation>録音は、問題が起きた瞬間まで残っています。繰り返し起きる場合は、レポートをコピーして開発者に送ってください。含まれるのはバージョンとログだけで、話した内容やあなたの名前は含まれません。</translation>
    </message>
    <message>
        <source>Copy the report</source>
        <translation>レポートをコピー</translation>
    </message>
    <message>
        <source>Open the logs</source>
        <translation>ログを開く</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
</context>
<context>
    <name>Curves</name>
    <message>
        <source>Losses of the run</source>
        <translation>学習の損失</translation>
    </message>
    <message>
        <source>Lower is better. Thin: while training. Thick: on dialogues kept aside.</source>
        <translation>低いほど良い値です。細線は学習中、太線は検証用の対話での損失です。</translation>
    </message>
    <message>
        <source>{0} at {1}</source>
        <translation>{0}（ステップ {1}）</translation>
    </message>
    <message>
        <source>best {0}</source>
        <translation>最良 {0}</translation>
    </message>
    <message>
        <source>Words (text)</source>
        <translation>言葉 (text)</translation>
    </message>
    <message>
        <source>Speech sounds (semantic)</source>
        <translation>発音 (semantic)</translation>
    </message>
    <message>
        <source>Voice (acoustic)</source>
        <translation>声 (acoustic)</translation>
    </message>
    <message>
        <source>Your voice (user)</source>
        <translation>あなたの声 (user)</translation>
    </message>
</context>
<context>
    <name>DataStep</name>
    <message>
        <source>Datasets</source>
        <translation>データセット</translation>
    </message>
    <message>
        <source>New dataset</source>
        <translation>新しいデータセット</translation>
    </message>
    <message>
        <source>Choose talks or folders to learn from</source>
        <translation>学習に使う会話やフォルダーを選ぶ</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Prepare</source>
        <translation>準備</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>確認</translation>
    </message>
    <message>
        <source>for {0}</source>
        <translation>{0} 用</translation>
    </message>
    <message>
        <source>not prepared</source>
        <translation>未準備</translation>
    </message>
    <message>
        <source>{0} of {1} dialogues have no words of the model&apos;s voice.</source>
        <translation>対話 {1} 件中 {0} 件に、モデルの声の言葉がありません。</translation>
    </message>
    <message>
        <source>Without them it learns to be silent in words. A faster-whisper model can find them.</source>
        <translation>言葉がないと、モデルは言葉を出さないことを学びます。faster-whisper のモデルで文字起こしできます。</translation>
    </message>
    <message>
        <source>Transcribe…</source>
        <translation>文字起こし…</translation>
    </message>
    <message>
        <source>Choose the folder of the model</source>
        <translation>モデルのフォルダーを選ぶ</translation>
    </message>
    <message>
        <source>Go on without</source>
        <translation>このまま続ける</translation>
    </message>
    <message>
        <source>Prepare it as it is</source>
        <translation>今のまま準備する</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>開始しています</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>停止しました。</translation>
    </message>
    <message>
        <source>What was done is kept; Prepare goes on from there.</source>
        <translation>済んだ分は残っています。［準備］で続きから再開できます。</translation>
    </message>
    <message>
        <source>{0}, {1} %</source>
        <translation>{0}、{1} %</translation>
    </message>
    <message>
        <source>{0}, ready for {1}</source>
        <translation>{0}、{1} 用に準備済み</translation>
    </message>
    <message>
        <source>Look at what will be learnt before you train.</source>
        <translation>学習の前に、何が学習されるかを確認してください。</translation>
    </message>
    <message>
        <source>Words or sound have changed since it was prepared.</source>
        <translation>準備のあとで、言葉か音声が変わりました。</translation>
    </message>
    <message>
        <source>Training reads what was prepared: prepare it again.</source>
        <translation>学習では準備済みのデータを使います。もう一度準備してください。</translation>
    </message>
    <message>
        <source>Preparing turns sound and words into what training reads.</source>
        <translation>準備では、音声と言葉を学習用の形式に変換します。</translation>
    </message>
    <message>
        <source>1 folder</source>
        <translation>フォルダー 1 個</translation>
    </message>
    <message>
        <source>{0} folders</source>
        <translation>フォルダー {0} 個</translation>
    </message>
    <message>
        <source>Mark talks, or import a folder.</source>
        <translation>会話を選ぶか、フォルダーをインポートしてください。</translation>
    </message>
    <message>
        <source>Give the dataset a name of letters and digits.</source>
        <translation>データセットに文字と数字で名前を付けてください。</translation>
    </message>
    <message>
        <source>{0} to learn from</source>
        <translation>学習に使うデータ: {0}</translation>
    </message>
    <message>
        <source> and </source>
        <translation>と</translation>
    </message>
    <message>
        <source>There is a dataset of this name; they are added to it.</source>
        <translation>同じ名前のデータセットがあるため、そこに追加されます。</translation>
    </message>
    <message>
        <source>Ten minutes are little, an hour is good.</source>
        <translation>10 分では足りないことが多く、1 時間あれば十分です。</translation>
    </message>
    <message>
        <source>Prepare again</source>
        <translation>もう一度準備</translation>
    </message>
    <message>
        <source>Choose the folder of a faster-whisper model</source>
        <translation>faster-whisper モデルのフォルダーを選択</translation>
    </message>
    <message>
        <source>Stop here; what was done is kept</source>
        <translation>ここで停止する（済んだ分は残ります）</translation>
    </message>
    <message>
        <source>Gather the dialogues, and turn sound and words into what training reads</source>
        <translation>対話を集め、音声と言葉を学習用の形式に変換する</translation>
    </message>
    <message>
        <source>See what will be learnt (Alt+2)</source>
        <translation>何が学習されるかを見る (Alt+2)</translation>
    </message>
</context>
<context>
    <name>DatasetView</name>
    <message>
        <source>For the model</source>
        <translation>対象のモデル</translation>
    </message>
    <message>
        <source>The model that will learn from it</source>
        <translation>このデータで学習するモデル</translation>
    </message>
    <message>
        <source>Transcribe…</source>
        <translation>文字起こし…</translation>
    </message>
    <message>
        <source>Find the words that are lacking, with a faster-whisper model from a folder</source>
        <translation>足りない言葉を、フォルダーにある faster-whisper モデルで文字起こしする</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>見つかった点</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>読み取り中…</translation>
    </message>
    <message>
        <source>Prepared for {0}.</source>
        <translation>{0} 用に準備済みです。</translation>
    </message>
    <message>
        <source>Not prepared yet.</source>
        <translation>まだ準備されていません。</translation>
    </message>
    <message>
        <source>Prepared for {0}; words or sound have changed since.</source>
        <translation>{0} 用に準備済みですが、その後、言葉か音声が変わりました。</translation>
    </message>
    <message>
        <source>1 dialogue</source>
        <translation>対話 1 件</translation>
    </message>
    <message>
        <source>{0} dialogues</source>
        <translation>対話 {0} 件</translation>
    </message>
    <message>
        <source>Both voices have words in every dialogue.</source>
        <translation>すべての対話で、両方の声に言葉があります。</translation>
    </message>
    <message>
        <source>You have no words in {0} of {1} dialogues. That does no harm: it learns its own.</source>
        <translation>対話 {1} 件中 {0} 件に、あなたの声の言葉がありません。モデルは自分の言葉だけを学ぶので、差し支えありません。</translation>
    </message>
    <message>
        <source>The model&apos;s voice has no words in {0} of {1} dialogues, yours in {2}.</source>
        <translation>対話 {1} 件のうち、{0} 件にモデルの声の言葉が、{2} 件にあなたの声の言葉がありません。</translation>
    </message>
    <message>
        <source>… and {0} more in import.jsonl</source>
        <translation>… ほか {0} 件は import.jsonl にあります</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>言葉</translation>
    </message>
</context>
<context>
    <name>Desk</name>
    <message>
        <source>Start</source>
        <translation>開始</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>mute</source>
        <translation>ミュート</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>Space</translation>
    </message>
    <message>
        <source>Let the model hear silence (Space)</source>
        <translation>モデルに音を聞かせない (Space)</translation>
    </message>
    <message>
        <source>Mute the microphone</source>
        <translation>マイクをミュート</translation>
    </message>
    <message>
        <source>Let the model forget and begin anew (Ctrl+Shift+R)</source>
        <translation>モデルの記憶を消して最初から始める (Ctrl+Shift+R)</translation>
    </message>
    <message>
        <source>Restart the conversation</source>
        <translation>会話をやり直す</translation>
    </message>
    <message>
        <source>How loud the model is (Ctrl+Up, Ctrl+Down)</source>
        <translation>モデルの音量 (Ctrl+Up, Ctrl+Down)</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>音量</translation>
    </message>
    <message>
        <source>Record the talk on this computer (R)</source>
        <translation>会話をこのコンピューターに録音する (R)</translation>
    </message>
    <message>
        <source>Record the talk</source>
        <translation>会話を録音</translation>
    </message>
    <message>
        <source>Whether the model keeps up</source>
        <translation>モデルの処理が追いついているか</translation>
    </message>
    <message>
        <source>Whether the model keeps up; figures are in the drawer (Ctrl+,)</source>
        <translation>モデルの処理が追いついているか。数値はパネルに表示されます（Ctrl+,）</translation>
    </message>
    <message>
        <source>keeps up</source>
        <translation>順調</translation>
    </message>
    <message>
        <source>late</source>
        <translation>遅れ</translation>
    </message>
    <message>
        <source>End the talk (Ctrl+Return)</source>
        <translation>会話を終える (Ctrl+Return)</translation>
    </message>
    <message>
        <source>Talk (Ctrl+Return)</source>
        <translation>会話を始める (Ctrl+Return)</translation>
    </message>
</context>
<context>
    <name>DeviceChooser</name>
    <message>
        <source>System default</source>
        <translation>システムの既定</translation>
    </message>
    <message>
        <source>System default: {0}</source>
        <translation>システムの既定: {0}</translation>
    </message>
    <message>
        <source>System default: no microphone</source>
        <translation>システムの既定: マイクなし</translation>
    </message>
</context>
<context>
    <name>DialogueTable</name>
    <message>
        <source>The dialogues, those with findings first</source>
        <translation>対話の一覧（指摘のあるものが先頭）</translation>
    </message>
    <message>
        <source>Press Return or double-click to correct the words of a dialogue</source>
        <translation>Return またはダブルクリックで対話の言葉を直す</translation>
    </message>
</context>
<context>
    <name>Dialogues</name>
    <message>
        <source>A is the voice of the model, B that of the user</source>
        <translation>A はモデルの声、B はユーザーの声</translation>
    </message>
    <message>
        <source>Dialogue</source>
        <translation>対話</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>長さ</translation>
    </message>
    <message>
        <source>Speech A</source>
        <translation>発話 A</translation>
    </message>
    <message>
        <source>Speech B</source>
        <translation>発話 B</translation>
    </message>
    <message>
        <source>Words A</source>
        <translation>単語 A</translation>
    </message>
    <message>
        <source>Words B</source>
        <translation>単語 B</translation>
    </message>
    <message>
        <source>Findings</source>
        <translation>指摘</translation>
    </message>
    <message>
        <source>{0} (and {1} more)</source>
        <translation>{0}（ほか {1} 件）</translation>
    </message>
</context>
<context>
    <name>Drawer</name>
    <message>
        <source>Live settings</source>
        <translation>会話中の設定</translation>
    </message>
    <message>
        <source>While you talk</source>
        <translation>会話中の設定</translation>
    </message>
    <message>
        <source>Close the drawer (Esc)</source>
        <translation>引き出しを閉じる (Esc)</translation>
    </message>
    <message>
        <source>Close the drawer</source>
        <translation>引き出しを閉じる</translation>
    </message>
    <message>
        <source>The seed counts from the next start, the context from the next load.</source>
        <translation>シードは次の開始から、コンテキストは次の読み込みから有効になります。</translation>
    </message>
    <message>
        <source>as made</source>
        <translation>標準</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>Lag</source>
        <translation>遅延</translation>
    </message>
    <message>
        <source>From your mouth to your ear, over the last minute</source>
        <translation>口から耳に届くまで（直近 1 分）</translation>
    </message>
    <message>
        <source>What the model takes for each frame of {frame} ms, over the last minute</source>
        <translation>{frame} ms のフレームごとにモデルが要する時間（直近 1 分）</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Speech that waits to be played; empty means silence, over the last minute</source>
        <translation>再生を待つ音声。空なら無音（直近 1 分）</translation>
    </message>
    <message>
        <source>Speaker buffer</source>
        <translation>再生バッファー</translation>
    </message>
</context>
<context>
    <name>Expert</name>
    <message>
        <source>What learns, steps, learning rates, memory</source>
        <translation>学習する部分、ステップ、学習率、メモリ</translation>
    </message>
    <message>
        <source>Expert settings</source>
        <translation>詳細設定</translation>
    </message>
    <message>
        <source>Expert settings  ▾</source>
        <translation>詳細設定  ▾</translation>
    </message>
    <message>
        <source>Expert settings  ▸</source>
        <translation>詳細設定  ▸</translation>
    </message>
    <message>
        <source>Learn both voices</source>
        <translation>両方の声を学習</translation>
    </message>
    <message>
        <source>The model also learns to foresee what you say, as nu-dialogue&apos;s finetuner does.</source>
        <translation>nu-dialogue のファインチューニングと同じく、ユーザーの発話の予測も学びます。</translation>
    </message>
    <message>
        <source>Precision of the base</source>
        <translation>ベースの精度</translation>
    </message>
    <message>
        <source>Fewer bits need less memory and are a little slower.</source>
        <translation>ビット数が少ないほどメモリーは少なくて済みますが、少し遅くなります。</translation>
    </message>
    <message>
        <source>{0} bits</source>
        <translation>{0} ビット</translation>
    </message>
    <message>
        <source>What learns</source>
        <translation>学習する部分</translation>
    </message>
    <message>
        <source>An adapter fits on one card; the whole model needs several of 80 GB.</source>
        <translation>アダプターは GPU 1 枚に収まります。モデル全体には 80 GB の GPU が複数必要です。</translation>
    </message>
    <message>
        <source>An adapter (LoRA)</source>
        <translation>アダプター (LoRA)</translation>
    </message>
    <message>
        <source>The whole model</source>
        <translation>モデル全体</translation>
    </message>
    <message>
        <source>Words and turns</source>
        <translation>言葉とターン</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>音</translation>
    </message>
    <message>
        <source>Text embedding</source>
        <translation>テキスト埋め込み</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>ステップ数</translation>
    </message>
    <message>
        <source>How often the model is changed a little.</source>
        <translation>モデルを少しずつ更新する回数です。</translation>
    </message>
    <message>
        <source>Rank of the LoRA</source>
        <translation>LoRA のランク</translation>
    </message>
    <message>
        <source>More can learn more, and needs more memory.</source>
        <translation>大きいほど多くを学べますが、メモリも多く使います。</translation>
    </message>
    <message>
        <source>Learning rate, words and turns</source>
        <translation>学習率（言葉とターン）</translation>
    </message>
    <message>
        <source>Of the temporal transformer. It follows the model; a 7B collapses above 10 ×10⁻⁶.</source>
        <translation>テンポラル・トランスフォーマーの学習率。モデルに応じて決まります。7B では 10 ×10⁻⁶ を超えると崩壊します。</translation>
    </message>
    <message>
        <source>Learning rate, sound</source>
        <translation>学習率（音）</translation>
    </message>
    <message>
        <source>Of the depth transformer, which makes the voice.</source>
        <translation>声を作る depth transformer の学習率です。</translation>
    </message>
    <message>
        <source>Length of an example</source>
        <translation>1 例の長さ</translation>
    </message>
    <message>
        <source>Longer dialogues are cut.</source>
        <translation>これより長い対話は切り分けます。</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>Examples in a step</source>
        <translation>1 ステップの例数</translation>
    </message>
    <message>
        <source>Gathered one after another.</source>
        <translation>順に計算して合計します。</translation>
    </message>
    <message>
        <source>Kept aside</source>
        <translation>検証用の割合</translation>
    </message>
    <message>
        <source>The share of the dialogues that the model never learns from, to judge it by.</source>
        <translation>評価のため、学習に使わずに残す対話の割合です。</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Patience</source>
        <translation>早期終了までの猶予</translation>
    </message>
    <message>
        <source>Evaluations without a better loss after which it stops early; 0 is never.</source>
        <translation>評価で損失がこの回数続けて改善しなければ、早めに終了します。0 なら終了しません。</translation>
    </message>
</context>
<context>
    <name>Facts</name>
    <message>
        <source>{0} dialogues</source>
        <translation>対話 {0} 件</translation>
    </message>
</context>
<context>
    <name>Farewell</name>
    <message>
        <source>Training goes on without the window</source>
        <translation>ウィンドウを閉じても学習は続きます</translation>
    </message>
    <message>
        <source>Training goes on without the window.</source>
        <translation>ウィンドウを閉じても学習は続きます。</translation>
    </message>
    <message>
        <source>Open Aizuchi again to see how far it is. Stopping saves a checkpoint to go on from.</source>
        <translation>進み具合は、Aizuchi をもう一度開くと確認できます。停止すると、再開用のチェックポイントを保存します。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Stop it and save</source>
        <translation>停止して保存</translation>
    </message>
    <message>
        <source>Let it go on</source>
        <translation>学習を続ける</translation>
    </message>
    <message>
        <source>Stopping; the window closes when the checkpoint is written.</source>
        <translation>停止しています。チェックポイントの保存が終わるとウィンドウを閉じます。</translation>
    </message>
</context>
<context>
    <name>Fetching</name>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} / {1}</translation>
    </message>
    <message>
        <source>{0} a second</source>
        <translation>毎秒 {0}</translation>
    </message>
    <message>
        <source>{0} min left</source>
        <translation>残り {0} 分</translation>
    </message>
    <message>
        <source>The download ended without a word.</source>
        <translation>ダウンロードが理由を示さずに終了しました。</translation>
    </message>
</context>
<context>
    <name>Figures</name>
    <message>
        <source>Each minute</source>
        <translation>1 分あたり</translation>
    </message>
    <message>
        <source>{0} {1} %, you {2} %, both at once {3} %</source>
        <translation>{0} {1} %、あなた {2} %、同時 {3} %</translation>
    </message>
    <message>
        <source>Turns</source>
        <translation>ターン</translation>
    </message>
    <message>
        <source>How often one takes over from the other</source>
        <translation>話し手が入れ替わった回数</translation>
    </message>
    <message>
        <source>Pauses</source>
        <translation>間（ま）</translation>
    </message>
    <message>
        <source>Joint silences within the speech of one</source>
        <translation>一方の発話の途中で、両方が黙った回数</translation>
    </message>
    <message>
        <source>Gaps</source>
        <translation>間隔</translation>
    </message>
    <message>
        <source>Joint silences between one and the other</source>
        <translation>話し手が替わるまでに、両方が黙った回数</translation>
    </message>
    <message>
        <source>Overlaps</source>
        <translation>発話の重なり</translation>
    </message>
    <message>
        <source>Stretches where both speak</source>
        <translation>両方が同時に話した回数</translation>
    </message>
    <message>
        <source>Backchannels</source>
        <translation>相槌</translation>
    </message>
    <message>
        <source>Short words of the model while you go on speaking</source>
        <translation>あなたが話し続けている間の、モデルの短い相づち</translation>
    </message>
    <message>
        <source>You speak up and the model stops</source>
        <translation>あなたが話し始め、モデルが話をやめた回数</translation>
    </message>
    <message>
        <source>Interruptions</source>
        <translation>割り込み</translation>
    </message>
</context>
<context>
    <name>Follower</name>
    <message>
        <source>Training ended before it began.</source>
        <translation>学習が始まる前に終了しました。</translation>
    </message>
    <message>
        <source>The log is {0}.</source>
        <translation>ログは {0} です。</translation>
    </message>
</context>
<context>
    <name>Graph</name>
    <message>
        <source>{value} ms</source>
        <translation>{value} ms</translation>
    </message>
</context>
<context>
    <name>Kept</name>
    <message>
        <source>Nothing is sent anywhere: no statistics, no crash reports. The network is used to download a model when you ask for it, and for nothing else.</source>
        <translation>どこにも何も送信しません。統計もクラッシュレポートも送りません。ネットワークを使うのは、あなたがモデルのダウンロードを選んだときだけです。</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>録音</translation>
    </message>
    <message>
        <source>Datasets made of them</source>
        <translation>録音から作ったデータセット</translation>
    </message>
    <message>
        <source>Runs of training</source>
        <translation>学習の記録</translation>
    </message>
    <message>
        <source>Models of your own</source>
        <translation>自分のモデル</translation>
    </message>
    <message>
        <source>Logs, without a word that was said</source>
        <translation>ログ（話した内容は含みません）</translation>
    </message>
    <message>
        <source>What can be made again</source>
        <translation>作り直せるもの</translation>
    </message>
    <message>
        <source>Delete it by hand: {0}</source>
        <translation>手動で削除してください: {0}</translation>
    </message>
    <message>
        <source>There is no trash for this disk.</source>
        <translation>このディスクにはゴミ箱がありません。</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>フォルダーを開く</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>削除…</translation>
    </message>
    <message>
        <source>Open the folder: {0}</source>
        <translation>フォルダーを開く: {0}</translation>
    </message>
    <message>
        <source>Delete: {0}</source>
        <translation>削除: {0}</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>No file manager could be opened.</source>
        <translation>ファイルマネージャーを開けませんでした。</translation>
    </message>
    <message>
        <source>The folder is {0}.</source>
        <translation>フォルダーは {0} です。</translation>
    </message>
    <message>
        <source>Move all of this to the trash?</source>
        <translation>これをすべてゴミ箱に移しますか？</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>ゴミ箱に移す</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>残す</translation>
    </message>
</context>
<context>
    <name>KeysDialog</name>
    <message>
        <source>Keys</source>
        <translation>キー操作</translation>
    </message>
</context>
<context>
    <name>Languages</name>
    <message>
        <source>Chinese</source>
        <translation>中国語</translation>
    </message>
    <message>
        <source>Dutch</source>
        <translation>オランダ語</translation>
    </message>
    <message>
        <source>English</source>
        <translation>英語</translation>
    </message>
    <message>
        <source>French</source>
        <translation>フランス語</translation>
    </message>
    <message>
        <source>German</source>
        <translation>ドイツ語</translation>
    </message>
    <message>
        <source>Hindi</source>
        <translation>ヒンディー語</translation>
    </message>
    <message>
        <source>Italian</source>
        <translation>イタリア語</translation>
    </message>
    <message>
        <source>Japanese</source>
        <translation>日本語</translation>
    </message>
    <message>
        <source>Korean</source>
        <translation>韓国語</translation>
    </message>
    <message>
        <source>Portuguese</source>
        <translation>ポルトガル語</translation>
    </message>
    <message>
        <source>Spanish</source>
        <translation>スペイン語</translation>
    </message>
</context>
<context>
    <name>ListenStep</name>
    <message>
        <source>Before</source>
        <translation>学習前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>学習後</translation>
    </message>
    <message>
        <source>Merge into the base</source>
        <translation>ベースに統合</translation>
    </message>
    <message>
        <source>Make it a model</source>
        <translation>モデルを作成</translation>
    </message>
    <message>
        <source>Talk to it</source>
        <translation>このモデルと会話</translation>
    </message>
    <message>
        <source>Nothing to hear yet</source>
        <translation>試聴できるものはまだありません</translation>
    </message>
    <message>
        <source>A run can be heard once it has been judged for the first time.</source>
        <translation>最初の評価が終わると試聴できます。</translation>
    </message>
    <message>
        <source>This run has not been judged since it began.</source>
        <translation>この学習はまだ評価されていません。</translation>
    </message>
    <message>
        <source>A dialogue kept aside: its beginning, faded, then what the model says. After: best step, {0}.</source>
        <translation>検証用の対話の冒頭（薄い色）と、それに続くモデルの発話です。学習後は、最良のステップ {0} のものです。</translation>
    </message>
    <message>
        <source>Step {0}</source>
        <translation>ステップ {0}</translation>
    </message>
    <message>
        <source>no sample</source>
        <translation>サンプルなし</translation>
    </message>
    <message>
        <source>Making the model…</source>
        <translation>モデルを作成しています…</translation>
    </message>
    <message>
        <source>The model could not be made.</source>
        <translation>モデルを作成できませんでした。</translation>
    </message>
    <message>
        <source>Train first; then listen.</source>
        <translation>試聴の前に学習を行ってください。</translation>
    </message>
    <message>
        <source>{0} is among your models.</source>
        <translation>{0} が自分のモデルに加わりました。</translation>
    </message>
    <message>
        <source>It stands on the Models page under the model that it came from.</source>
        <translation>［モデル］ページで、元のモデルの下に表示されます。</translation>
    </message>
    <message>
        <source>There is no checkpoint of this run yet.</source>
        <translation>この学習のチェックポイントはまだありません。</translation>
    </message>
    <message>
        <source>Make the best step a model to talk with.</source>
        <translation>最良のステップから、会話できるモデルを作成します。</translation>
    </message>
    <message>
        <source>Merged, it needs no base beside it and takes as much disk as the base; else it is small.</source>
        <translation>統合すると、ベースなしで使えますが、ベースと同じディスク容量が必要です。統合しなければ小さく済みます。</translation>
    </message>
    <message>
        <source>Write the best step as a model that every program of the family can load</source>
        <translation>最良のステップを、Moshi 系のどのプログラムでも読み込めるモデルとして書き出す</translation>
    </message>
    <message>
        <source>Take it into memory, and go to Talk</source>
        <translation>メモリに読み込み、［会話］ページに移動する</translation>
    </message>
    <message>
        <source>Add the adapter to the weights of the base, in place of beside them</source>
        <translation>アダプターを別に置かず、ベースの重みに足し合わせる</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>統合</translation>
    </message>
</context>
<context>
    <name>LoadingText</name>
    <message>
        <source>{stage} · {done} of {total} GB</source>
        <translation>{stage} · {done} / {total} GB</translation>
    </message>
    <message>
        <source>{0} s left</source>
        <translation>残り {0} 秒</translation>
    </message>
    <message>
        <source>{0} min left</source>
        <translation>残り {0} 分</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>A run is training, so no model was loaded.</source>
        <translation>学習中のため、モデルは読み込まれていません。</translation>
    </message>
    <message>
        <source>Ctrl+4 shows how far it is; load a model when the graphics card has room.</source>
        <translation>進み具合は Ctrl+4 で確認できます。モデルは GPU に空きができてから読み込んでください。</translation>
    </message>
    <message>
        <source>Then Aizuchi restarts.</source>
        <translation>そのあと Aizuchi が再起動します。</translation>
    </message>
    <message>
        <source>Then the window closes.</source>
        <translation>その後、ウィンドウを閉じます。</translation>
    </message>
    <message>
        <source>Then its recording is moved to the trash.</source>
        <translation>その後、録音をゴミ箱に移動します。</translation>
    </message>
    <message>
        <source>Then the model that it is held with is moved to the trash.</source>
        <translation>その後、使用中のモデルをゴミ箱に移動します。</translation>
    </message>
    <message>
        <source>Then {0} is loaded.</source>
        <translation>その後、{0} を読み込みます。</translation>
    </message>
    <message>
        <source>Then the model is unloaded.</source>
        <translation>その後、モデルを解放します。</translation>
    </message>
    <message>
        <source>Then the model is unloaded, and training starts.</source>
        <translation>その後、モデルを解放して学習を開始します。</translation>
    </message>
    <message>
        <source>Live, and recorded</source>
        <translation>会話中（録音中）</translation>
    </message>
    <message>
        <source>Live, not recorded</source>
        <translation>会話中（録音なし）</translation>
    </message>
    <message>
        <source>Training, {0} %</source>
        <translation>学習中、{0} %</translation>
    </message>
    <message>
        <source>Downloading, {0} %</source>
        <translation>ダウンロード中、{0} %</translation>
    </message>
    <message>
        <source>Talk</source>
        <translation>会話</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>録音</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>学習</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
</context>
<context>
    <name>ModeRow</name>
    <message>
        <source>Unload</source>
        <translation>解放</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>読み込む</translation>
    </message>
    <message>
        <source>Give the memory back</source>
        <translation>メモリを解放する</translation>
    </message>
    <message>
        <source>Take the model into memory</source>
        <translation>モデルをメモリに読み込む</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>: {0} of {1}</source>
        <translation>: {0} / {1}</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Runs on the processor</source>
        <translation>CPU で動作</translation>
    </message>
    <message>
        <source>Needs {0} of graphics memory</source>
        <translation>GPU メモリが {0} 必要</translation>
    </message>
    <message>
        <source>{0} of {1} free graphics memory</source>
        <translation>空き GPU メモリ {1} のうち {0}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>Needs {0} of {1} free graphics memory; {2} with a context of {3} s</source>
        <translation>空き GPU メモリ {1} に対して {0} が必要です（文脈を {3} 秒にすると {2}）</translation>
    </message>
    <message>
        <source>Needs at least {0}; {1} of {2} graphics memory are free</source>
        <translation>{0} 以上が必要です。GPU メモリ {2} のうち空きは {1} です</translation>
    </message>
    <message>
        <source>kept in {0} bits ({1} as it is)</source>
        <translation>{0} ビットで保持（元のままでは {1}）</translation>
    </message>
    <message>
        <source>what it remembers in 8</source>
        <translation>記憶は 8 ビット</translation>
    </message>
    <message>
        <source>Mimi on the processor</source>
        <translation>Mimi は CPU</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Read all of its files and check that they are whole</source>
        <translation>すべてのファイルを読み、壊れていないか確かめる</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>ダウンロード</translation>
    </message>
    <message>
        <source>Fetch {0} from the Hugging Face hub</source>
        <translation>Hugging Face Hub から {0} を取得します</translation>
    </message>
    <message>
        <source>Download: {0}</source>
        <translation>ダウンロード: {0}</translation>
    </message>
    <message>
        <source>8 bit</source>
        <translation>8 ビット</translation>
    </message>
    <message>
        <source>Full precision</source>
        <translation>フル精度</translation>
    </message>
    <message>
        <source>{0} on disk</source>
        <translation>ディスク {0}</translation>
    </message>
    <message>
        <source>Load or unload</source>
        <translation>読み込みと解放</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>male voice</source>
        <translation>男性の声</translation>
    </message>
    <message>
        <source>female voice</source>
        <translation>女性の声</translation>
    </message>
    <message>
        <source>various voices</source>
        <translation>さまざまな声</translation>
    </message>
    <message>
        <source>For research and private use only: the licence forbids any commercial use.</source>
        <translation>研究目的・私的利用のみ（ライセンスにより商用利用は禁止）</translation>
    </message>
    <message>
        <source>Free for any use, also commercial, once you have accepted its licence on the hub: that takes a free account, of which a token goes into Settings.</source>
        <translation>Hubでライセンスに同意すれば、商用を含めて自由に使えます。無料のアカウントが必要で、そのトークンを設定に入れます。</translation>
    </message>
    <message>
        <source>Free for any use, also commercial, if its makers are named.</source>
        <translation>制作者を明記すれば、商用を含めて自由に利用可能</translation>
    </message>
    <message>
        <source>Free for any use, also commercial.</source>
        <translation>商用を含めて自由に利用可能</translation>
    </message>
</context>
<context>
    <name>ModelChoice</name>
    <message>
        <source>{0} (not downloaded)</source>
        <translation>{0}（未ダウンロード）</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>`aizuchi models list` in a terminal tells more.</source>
        <translation>詳しくは、端末で `aizuchi models list` を実行してください。</translation>
    </message>
    <message>
        <source>The models on this computer could not be listed.</source>
        <translation>このコンピューターにあるモデルを一覧にできませんでした。</translation>
    </message>
    <message>
        <source>Reading its files…</source>
        <translation>ファイルを読み取っています…</translation>
    </message>
    <message>
        <source>All of its files are whole.</source>
        <translation>すべてのファイルが正常です。</translation>
    </message>
    <message>
        <source>{0} is licensed {1}.</source>
        <translation>{0} のライセンスは {1} です。</translation>
    </message>
    <message>
        <source>It may be used for research and privately, not commercially, and its makers have to be named. The whole licence is at https://huggingface.co/{0}.</source>
        <translation>研究目的と個人的な利用に限られ、商用には使えません。製作者の表示が必要です。ライセンスの全文: https://huggingface.co/{0}</translation>
    </message>
    <message>
        <source>Accept and download</source>
        <translation>同意してダウンロード</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Asking the hub…</source>
        <translation>Hub に問い合わせています…</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Everything runs on this computer; nothing you say leaves it.</source>
        <translation>すべてこのコンピューターで動作し、話した内容が外に出ることはありません。</translation>
    </message>
    <message>
        <source>Your own</source>
        <translation>自分のモデル</translation>
    </message>
</context>
<context>
    <name>NewDataset</name>
    <message>
        <source>Import a folder…</source>
        <translation>フォルダーをインポート…</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>What is spoken</source>
        <translation>話されている言語</translation>
    </message>
    <message>
        <source>For the model</source>
        <translation>対象のモデル</translation>
    </message>
    <message>
        <source>The model that will learn from it</source>
        <translation>このデータで学習するモデル</translation>
    </message>
    <message>
        <source>Do not take this folder</source>
        <translation>このフォルダーを外す</translation>
    </message>
    <message>
        <source>Do not take {0}</source>
        <translation>{0} を外す</translation>
    </message>
    <message>
        <source>Choose a folder of dialogues</source>
        <translation>対話のフォルダーを選択</translation>
    </message>
    <message>
        <source>As the talks are</source>
        <translation>会話に合わせる</translation>
    </message>
    <message>
        <source>Name of the dataset</source>
        <translation>データセットの名前</translation>
    </message>
    <message>
        <source>Letters, digits, spaces, dots and dashes</source>
        <translation>文字、数字、空白、ドット、ハイフン</translation>
    </message>
    <message>
        <source>Stereo wavs, or data of Kyutai&apos;s or nu-dialogue&apos;s finetuner</source>
        <translation>ステレオの wav、または Kyutai か nu-dialogue のファインチューニング用データ</translation>
    </message>
    <message>
        <source>What shall the model learn from?</source>
        <translation>何から学習しますか？</translation>
    </message>
    <message>
        <source>Stereo sound files, the left channel the model&apos;s voice; or the data of another finetuner.</source>
        <translation>左チャンネルがモデルの声のステレオ音声ファイル、または他のファインチューニング用データです。</translation>
    </message>
    <message>
        <source>Other dialogues</source>
        <translation>ほかの対話</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>Words become tokens of this model.</source>
        <translation>言葉はこのモデルのトークンになります。</translation>
    </message>
</context>
<context>
    <name>Notice</name>
    <message>
        <source>Close this message</source>
        <translation>このメッセージを閉じる</translation>
    </message>
</context>
<context>
    <name>Number</name>
    <message>
        <source>Bring back the default of: {0}</source>
        <translation>既定値に戻す: {0}</translation>
    </message>
    <message>
        <source>Bring back the default</source>
        <translation>既定値に戻す</translation>
    </message>
</context>
<context>
    <name>NumberBox</name>
    <message>
        <source>“{0}” is not a number.</source>
        <translation>「{0}」は数値ではありません。</translation>
    </message>
    <message>
        <source>“{0}” is not a whole number.</source>
        <translation>「{0}」は整数ではありません。</translation>
    </message>
    <message>
        <source>“{0}” is not between {1} and {2}.</source>
        <translation>「{0}」は {1} から {2} の範囲にありません。</translation>
    </message>
    <message>
        <source>“{0}” was read as {1}.</source>
        <translation>「{0}」を {1} と解釈しました。</translation>
    </message>
</context>
<context>
    <name>Overview</name>
    <message>
        <source>The whole talk</source>
        <translation>会話の全体</translation>
    </message>
    <message>
        <source>The arrow keys move the play head by a second.</source>
        <translation>矢印キーで再生位置が 1 秒ずつ動きます。</translation>
    </message>
    <message>
        <source>Click to play from there; drag to mark a stretch for the loop</source>
        <translation>クリックでそこから再生、ドラッグでループ範囲を指定</translation>
    </message>
</context>
<context>
    <name>OwnCard</name>
    <message>
        <source>Load or unload: {0}</source>
        <translation>読み込みと解放: {0}</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>解放</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>読み込む</translation>
    </message>
    <message>
        <source>Give the memory back</source>
        <translation>メモリを解放する</translation>
    </message>
    <message>
        <source>Take the model into memory</source>
        <translation>モデルをメモリに読み込む</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>: {0} of {1}</source>
        <translation>: {0} / {1}</translation>
    </message>
    <message>
        <source>{0} ({1})</source>
        <translation>{0}（{1}）</translation>
    </message>
    <message>
        <source>{0} steps</source>
        <translation>{0} ステップ</translation>
    </message>
    <message>
        <source>Your own</source>
        <translation>自分のモデル</translation>
    </message>
    <message>
        <source>from {0}</source>
        <translation>データ: {0}</translation>
    </message>
    <message>
        <source>loss {0}</source>
        <translation>損失 {0}</translation>
    </message>
</context>
<context>
    <name>OwnModel</name>
    <message>
        <source>Open a folder…</source>
        <translation>フォルダーを開く…</translation>
    </message>
    <message>
        <source>Load a finetuned model from a folder</source>
        <translation>ファインチューニング済みモデルをフォルダーから読み込む</translation>
    </message>
    <message>
        <source>A whole checkpoint, or a LoRA beside its config.json; safetensors only.</source>
        <translation>チェックポイント全体、または config.json と LoRA。safetensors 形式のみ。</translation>
    </message>
    <message>
        <source>A finetune in a folder</source>
        <translation>フォルダー内のファインチューニング済みモデル</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>解放</translation>
    </message>
    <message>
        <source>Give the memory back</source>
        <translation>メモリを解放する</translation>
    </message>
    <message>
        <source>Choose the folder of a model</source>
        <translation>モデルのフォルダーを選択</translation>
    </message>
</context>
<context>
    <name>OwnVoices</name>
    <message>
        <source>Voices used with consent</source>
        <translation>同意を得て使う声</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>取り消す</translation>
    </message>
    <message>
        <source>Revoke the consent: {0}</source>
        <translation>同意を取り消す: {0}</translation>
    </message>
    <message>
        <source>No model will speak with this voice any more; the file stays</source>
        <translation>今後、モデルはこの声を使いません。ファイルは残ります</translation>
    </message>
    <message>
        <source>Consent given on {0}. SHA-256 {1}…</source>
        <translation>{0} に同意を確認。SHA-256 {1}…</translation>
    </message>
</context>
<context>
    <name>Pane</name>
    <message>
        <source>Progress</source>
        <translation>進捗</translation>
    </message>
</context>
<context>
    <name>Player</name>
    <message>
        <source>The sound stopped: its process ended by itself.</source>
        <translation>音声が止まりました。再生用のプロセスが終了したためです。</translation>
    </message>
    <message>
        <source>Press play to try again; `aizuchi doctor` tells more about the sound devices.</source>
        <translation>［再生］でもう一度試してください。サウンドデバイスについては `aizuchi doctor` で調べられます。</translation>
    </message>
</context>
<context>
    <name>Preparation</name>
    <message>
        <source>It broke off.</source>
        <translation>途中で終了しました。</translation>
    </message>
    <message>
        <source>The log holds the details; try again to go on from here.</source>
        <translation>詳しくはログをご覧ください。もう一度試すと続きから再開します。</translation>
    </message>
</context>
<context>
    <name>Process</name>
    <message>
        <source>The log {0} can not be written: {1}.</source>
        <translation>ログ {0} に書き込めません: {1}</translation>
    </message>
    <message>
        <source>Make room on the disk.</source>
        <translation>ディスクの空き容量を増やしてください。</translation>
    </message>
    <message>
        <source>Training could not be started.</source>
        <translation>学習を開始できませんでした。</translation>
    </message>
    <message>
        <source>Close other programs, or restart this one, and try again.</source>
        <translation>ほかのプログラムを閉じるか、Aizuchi を開き直して、もう一度試してください。</translation>
    </message>
</context>
<context>
    <name>PromptForm</name>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>The voice that the model speaks with</source>
        <translation>モデルが話す声</translation>
    </message>
    <message>
        <source>Restart with these</source>
        <translation>この設定で最初から始める</translation>
    </message>
    <message>
        <source>Let the model forget the talk and start again with this voice and role (Ctrl+Shift+R)</source>
        <translation>会話を忘れさせ、この声と役割で最初から始めます (Ctrl+Shift+R)</translation>
    </message>
    <message>
        <source>Voice and role</source>
        <translation>声と役割</translation>
    </message>
    <message>
        <source>Changes apply from the next start.</source>
        <translation>変更は次の会話から反映されます。</translation>
    </message>
    <message>
        <source>Choose a recording of the voice</source>
        <translation>声の録音を選ぶ</translation>
    </message>
    <message>
        <source>Sound ({0})</source>
        <translation>音声 ({0})</translation>
    </message>
    <message>
        <source>Own voice…</source>
        <translation>自分で用意した声…</translation>
    </message>
</context>
<context>
    <name>Readout</name>
    <message>
        <source>How much quieter the speaker&apos;s sound became in what the model hears</source>
        <translation>モデルが聞く音の中で、スピーカーの音がどれだけ小さくなったか</translation>
    </message>
    <message>
        <source>echo</source>
        <translation>エコー</translation>
    </message>
    <message>
        <source>echo −{removed} dB</source>
        <translation>エコー −{removed} dB</translation>
    </message>
    <message>
        <source>{lag} ms</source>
        <translation>{lag} ms</translation>
    </message>
    <message>
        <source>{step}/{frame} ms</source>
        <translation>{step}/{frame} ms</translation>
    </message>
    <message>
        <source>lag</source>
        <translation>遅延</translation>
    </message>
    <message>
        <source>From your mouth to your ear</source>
        <translation>口から耳に届くまで</translation>
    </message>
    <message>
        <source>step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>What the model takes for each 80 ms of sound</source>
        <translation>音声 80 ms ごとにモデルが要する時間</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>飛ばし</translation>
    </message>
    <message>
        <source>Frames of yours that were dropped to keep up</source>
        <translation>遅れを取り戻すために捨てた、あなたの音声のフレーム数</translation>
    </message>
    <message>
        <source>starved</source>
        <translation>途切れ</translation>
    </message>
    <message>
        <source>Frames of silence for want of speech in time</source>
        <translation>モデルの音声が間に合わず、無音になったフレーム数</translation>
    </message>
</context>
<context>
    <name>RecordSign</name>
    <message>
        <source>not recorded</source>
        <translation>録音なし</translation>
    </message>
</context>
<context>
    <name>RecordingsPage</name>
    <message>
        <source>1 talk, {1}</source>
        <translation>会話 1 件、{1}</translation>
    </message>
    <message>
        <source>{0} talks, {1}</source>
        <translation>会話 {0} 件、{1}</translation>
    </message>
    <message>
        <source>Search in the model&apos;s words</source>
        <translation>モデルの言葉を検索</translation>
    </message>
    <message>
        <source>Show the talks in which the model said this (Ctrl+F)</source>
        <translation>モデルがこう言った会話を表示します (Ctrl+F)</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>録音</translation>
    </message>
</context>
<context>
    <name>Replay</name>
    <message>
        <source>Choose a folder for the sound and the text</source>
        <translation>音声とテキストの保存先を選択</translation>
    </message>
    <message>
        <source>Exporting…</source>
        <translation>書き出し中…</translation>
    </message>
    <message>
        <source>Choose a folder for the file</source>
        <translation>ファイルを保存するフォルダーを選択</translation>
    </message>
    <message>
        <source>Packing…</source>
        <translation>まとめています…</translation>
    </message>
    <message>
        <source>Packed into {0}.</source>
        <translation>{0} にまとめました。</translation>
    </message>
    <message>
        <source>Exported {0} and {1} to {2}.</source>
        <translation>{0} と {1} を {2} に書き出しました。</translation>
    </message>
    <message>
        <source>Delete the recording</source>
        <translation>録音の削除</translation>
    </message>
    <message>
        <source>Move this talk to the trash?</source>
        <translation>この会話をゴミ箱に移動しますか？</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>ゴミ箱に移動</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>残す</translation>
    </message>
    <message>
        <source>‹ All</source>
        <translation>‹ 一覧</translation>
    </message>
    <message>
        <source>Back to all recordings (Esc)</source>
        <translation>録音の一覧に戻る (Esc)</translation>
    </message>
    <message>
        <source>Back to all recordings</source>
        <translation>録音の一覧に戻る</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>書き出す…</translation>
    </message>
    <message>
        <source>Save sound and text in a folder</source>
        <translation>音声とテキストをフォルダーに保存する</translation>
    </message>
    <message>
        <source>Save all of it as one file that Aizuchi opens again</source>
        <translation>すべてを、Aizuchi で開ける一つのファイルに保存します</translation>
    </message>
    <message>
        <source>Pack…</source>
        <translation>まとめる…</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>削除…</translation>
    </message>
    <message>
        <source>Move the talk to the trash (Del)</source>
        <translation>会話をゴミ箱に移動する (Del)</translation>
    </message>
</context>
<context>
    <name>Report</name>
    <message>
        <source>interruption</source>
        <translation>割り込み</translation>
    </message>
    <message>
        <source>backchannel</source>
        <translation>相槌</translation>
    </message>
    <message>
        <source>both at once</source>
        <translation>同時発話</translation>
    </message>
    <message>
        <source>you</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>the model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>turns</source>
        <translation>ターン</translation>
    </message>
    <message>
        <source>pauses</source>
        <translation>間（ま）</translation>
    </message>
    <message>
        <source>gaps</source>
        <translation>間隔</translation>
    </message>
    <message>
        <source>overlaps</source>
        <translation>発話の重なり</translation>
    </message>
    <message>
        <source>backchannels</source>
        <translation>相槌</translation>
    </message>
    <message>
        <source>interruptions</source>
        <translation>割り込み</translation>
    </message>
    <message>
        <source>Each minute: {0}</source>
        <translation>1 分あたり: {0}</translation>
    </message>
</context>
<context>
    <name>RoleField</name>
    <message>
        <source>Start from a preset, or from one of your last roles</source>
        <translation>ひな形か、最近使った役割から始めます</translation>
    </message>
    <message>
        <source>Start from a role</source>
        <translation>ひな形から始める</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>役割</translation>
    </message>
    <message>
        <source>Who the model is to be, in English</source>
        <translation>モデルの役割（英語）</translation>
    </message>
    <message>
        <source>Who the model is to be, in a few English sentences</source>
        <translation>モデルの役割を、英語で数文書きます</translation>
    </message>
    <message>
        <source>For example: {0}</source>
        <translation>例: {0}</translation>
    </message>
    <message>
        <source>Start from…</source>
        <translation>ひな形を選ぶ…</translation>
    </message>
    <message>
        <source>{0} of {1} characters, about {2} tokens</source>
        <translation>{0} / {1} 文字、約 {2} トークン</translation>
    </message>
    <message>
        <source>{0} characters too long: the end is left out</source>
        <translation>{0} 文字長すぎます。末尾は使われません</translation>
    </message>
    <message>
        <source>Still to fill in: {0}</source>
        <translation>未記入: {0}</translation>
    </message>
</context>
<context>
    <name>RolePresets</name>
    <message>
        <source>Assistant or teacher</source>
        <translation>アシスタント・先生</translation>
    </message>
    <message>
        <source>Customer service</source>
        <translation>カスタマーサービス</translation>
    </message>
    <message>
        <source>Casual talk</source>
        <translation>雑談</translation>
    </message>
</context>
<context>
    <name>RunForm</name>
    <message>
        <source>Dataset</source>
        <translation>データセット</translation>
    </message>
    <message>
        <source>What the model learns from</source>
        <translation>モデルが学習するデータ</translation>
    </message>
    <message>
        <source>Base model</source>
        <translation>ベースモデル</translation>
    </message>
    <message>
        <source>The model that learns</source>
        <translation>学習するモデル</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>学習を開始</translation>
    </message>
    <message>
        <source>Unload the model that is in memory, and begin to train</source>
        <translation>メモリーにあるモデルを解放して、学習を始めます</translation>
    </message>
    <message>
        <source>Prepare again</source>
        <translation>もう一度準備</translation>
    </message>
    <message>
        <source>Turn the sound and the words into what this model reads, as they are now</source>
        <translation>今の音声と言葉をこのモデル用のデータにします</translation>
    </message>
    <message>
        <source>{0} is prepared for {1}, not for {2}.</source>
        <translation>{0} は {1} 用に準備されています（{2} 用ではありません）。</translation>
    </message>
    <message>
        <source>{0} has changed since it was prepared.</source>
        <translation>{0} は準備のあとで変わりました。</translation>
    </message>
    <message>
        <source>There is no prepared dataset yet.</source>
        <translation>準備済みのデータセットがまだありません。</translation>
    </message>
    <message>
        <source>The first step, Data, makes one.</source>
        <translation>最初の手順［データ］で作成できます。</translation>
    </message>
    <message>
        <source>Give the run a name of letters and digits.</source>
        <translation>学習に文字と数字で名前を付けてください。</translation>
    </message>
    <message>
        <source>There is a run {0} already; choose another name.</source>
        <translation>{0} という学習がすでにあります。別の名前にしてください。</translation>
    </message>
    <message>
        <source>Training reads what was prepared: prepare it again.</source>
        <translation>学習では準備済みのデータを使います。もう一度準備してください。</translation>
    </message>
    <message>
        <source>Working out what it needs…</source>
        <translation>必要なメモリと時間を見積もっています…</translation>
    </message>
    <message>
        <source>Needs about {0} of {1} graphics memory</source>
        <translation>GPU メモリ {1} のうち約 {0} が必要</translation>
    </message>
    <message>
        <source>Needs about {0} of memory; there is no graphics card, so it takes long</source>
        <translation>メモリが約 {0} 必要（GPU がないため長くかかります）</translation>
    </message>
    <message>
        <source>learns from {0}</source>
        <translation>学習用 {0}</translation>
    </message>
    <message>
        <source>{0} kept aside to judge it</source>
        <translation>検証用 {0}</translation>
    </message>
    <message>
        <source>Try 8 or 4 bits, or shorter examples, in the expert settings</source>
        <translation>［詳細設定］で 8 または 4 ビットにするか、1 例の長さを短くしてください</translation>
    </message>
    <message>
        <source>{0} steps</source>
        <translation>{0} ステップ</translation>
    </message>
    <message>
        <source>Goal</source>
        <translation>目的</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>How it sounds. From about ten minutes of one speaker.</source>
        <translation>声の響きを変えます。1 人の話者で 10 分ほどから。</translation>
    </message>
    <message>
        <source>Manner</source>
        <translation>話し方</translation>
    </message>
    <message>
        <source>When it speaks: turns, nods, overlaps. Learns both voices; an hour or more.</source>
        <translation>ターン、相槌、発話の重なりなど、話すタイミングを変えます。両方の声を学習し、1 時間以上必要です。</translation>
    </message>
    <message>
        <source>Topic</source>
        <translation>話題</translation>
    </message>
    <message>
        <source>What it says. Needs hours of talk, and words that are right.</source>
        <translation>話す内容を変えます。数時間の会話と、正しい言葉が必要です。</translation>
    </message>
    <message>
        <source>Name of the run</source>
        <translation>学習の名前</translation>
    </message>
    <message>
        <source>The run, and the model that is made of it, are called so</source>
        <translation>学習と、それから作成するモデルの名前</translation>
    </message>
    <message>
        <source>What shall it learn?</source>
        <translation>何を学習しますか？</translation>
    </message>
    <message>
        <source>Datasets that are prepared.</source>
        <translation>準備済みのデータセットです。</translation>
    </message>
    <message>
        <source>From</source>
        <translation>データ</translation>
    </message>
    <message>
        <source>It stays as it is; a copy learns.</source>
        <translation>元のモデルは変わらず、コピーが学習します。</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
</context>
<context>
    <name>RunView</name>
    <message>
        <source>Steps that are done</source>
        <translation>済んだステップ</translation>
    </message>
    <message>
        <source>Loss on dialogues kept aside, all together: {0} at first, {1} at best ({2}).</source>
        <translation>検証用の対話の損失（合計）: 最初 {0}、最良 {1}（{2}）。</translation>
    </message>
    <message>
        <source>End at once; there is no checkpoint yet, so nothing is kept</source>
        <translation>すぐに終了します。まだチェックポイントがないため、何も残りません</translation>
    </message>
    <message>
        <source>End at once at the checkpoint of step {0}; what came since is lost</source>
        <translation>ステップ {0} のチェックポイントですぐに終了します。それ以降の分は失われます</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>開始しています…</translation>
    </message>
    <message>
        <source>It did not start</source>
        <translation>開始できませんでした</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Save a checkpoint and stop; it goes on from there when you resume</source>
        <translation>チェックポイントを保存して止める（［再開］で続きから学習します）</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>Save a checkpoint, end here, and listen to the best step</source>
        <translation>チェックポイントを保存して終了し、最良のステップを試聴する</translation>
    </message>
    <message>
        <source>Stop now</source>
        <translation>すぐに停止</translation>
    </message>
    <message>
        <source>End at once at the last checkpoint</source>
        <translation>最後のチェックポイントですぐに終了</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Go on from the last checkpoint</source>
        <translation>最後のチェックポイントから続ける</translation>
    </message>
    <message>
        <source>Listen</source>
        <translation>試聴</translation>
    </message>
    <message>
        <source>Hear before and after (Alt+4)</source>
        <translation>学習前と学習後を聞く (Alt+4)</translation>
    </message>
    <message>
        <source>The run</source>
        <translation>学習</translation>
    </message>
    <message>
        <source>Losses; lower is better. Thin: while training. Thick: dialogues kept aside; ringed: the best.</source>
        <translation>損失です。低いほど良い値です。細線は学習中、太線は検証用の対話、丸印は最良の値です。</translation>
    </message>
</context>
<context>
    <name>Sample</name>
    <message>
        <source>Play</source>
        <translation>再生</translation>
    </message>
    <message>
        <source>Play: {0}</source>
        <translation>再生: {0}</translation>
    </message>
    <message>
        <source>Play or stop</source>
        <translation>再生または停止</translation>
    </message>
    <message>
        <source>Orange is the model, blue the user; click to play from there</source>
        <translation>オレンジはモデル、青はユーザー。クリックでそこから再生</translation>
    </message>
</context>
<context>
    <name>Samples</name>
    <message>
        <source>Hear it go on with the same prompt</source>
        <translation>同じ出だしの続きを聞く</translation>
    </message>
    <message>
        <source>A dialogue that was kept aside: its beginning, then what the model says.</source>
        <translation>検証用の対話の冒頭と、それに続くモデルの発話です。</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>学習前</translation>
    </message>
    <message>
        <source>Step {0}</source>
        <translation>ステップ {0}</translation>
    </message>
    <message>
        <source>{0} · best</source>
        <translation>{0} · 最良</translation>
    </message>
    <message>
        <source>Play the sample: {0}</source>
        <translation>サンプルを再生: {0}</translation>
    </message>
    <message>
        <source>Play or stop this sample</source>
        <translation>このサンプルを再生または停止</translation>
    </message>
</context>
<context>
    <name>Sampling</name>
    <message>
        <source>Text temperature</source>
        <translation>テキストの温度</translation>
    </message>
    <message>
        <source>Lower is more predictable, 0 always takes the likeliest word.</source>
        <translation>低いほど予測しやすくなり、0 では常に最も可能性の高い語を選びます。</translation>
    </message>
    <message>
        <source>Text top-k</source>
        <translation>テキストの top-k</translation>
    </message>
    <message>
        <source>How many likely words it draws from; 0 draws from all.</source>
        <translation>候補にする語の数です。0 ではすべてから選びます。</translation>
    </message>
    <message>
        <source>Audio temperature</source>
        <translation>音声の温度</translation>
    </message>
    <message>
        <source>Lower is calmer; very low can turn into silence.</source>
        <translation>低いほど落ち着いた声になり、低すぎると無音になることがあります。</translation>
    </message>
    <message>
        <source>Audio top-k</source>
        <translation>音声の top-k</translation>
    </message>
    <message>
        <source>How many likely sounds it draws from; 0 draws from all.</source>
        <translation>候補にする音の数です。0 ではすべてから選びます。</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>繰り返しのペナルティ</translation>
    </message>
    <message>
        <source>Against repeating the words of the last 5 s; 1 is off.</source>
        <translation>直近 5 秒の語の繰り返しを抑えます。1 で無効になります。</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>シード</translation>
    </message>
    <message>
        <source>The same seed and the same sound give the same answers.</source>
        <translation>同じシードと同じ音からは同じ応答が得られます。</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>コンテキスト</translation>
    </message>
    <message>
        <source>How far back the model remembers. Less needs less graphics memory.</source>
        <translation>モデルが覚えている長さです。短いほど GPU メモリが少なくて済みます。</translation>
    </message>
    <message>
        <source>new each time</source>
        <translation>毎回新しく決める</translation>
    </message>
</context>
<context>
    <name>Scene</name>
    <message>
        <source>Length of the talk</source>
        <translation>会話の長さ</translation>
    </message>
</context>
<context>
    <name>Scores</name>
    <message>
        <source>Losses on dialogues kept aside, lower is better</source>
        <translation>検証用の対話での損失（低いほど良い）</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>学習前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>学習後</translation>
    </message>
    <message>
        <source>as before</source>
        <translation>変化なし</translation>
    </message>
    <message>
        <source>better</source>
        <translation>改善</translation>
    </message>
    <message>
        <source>worse</source>
        <translation>悪化</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>What is kept on this computer</source>
        <translation>このコンピューターに保存されているもの</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>サウンド</translation>
    </message>
    <message>
        <source>The microphone that a talk starts with</source>
        <translation>会話の開始時に使うマイク</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>The speaker that a talk starts with</source>
        <translation>会話の開始時に使うスピーカー</translation>
    </message>
    <message>
        <source>Speaker</source>
        <translation>スピーカー</translation>
    </message>
    <message>
        <source>What the model hears you through.</source>
        <translation>モデルがあなたの声を聞くマイクです。</translation>
    </message>
    <message>
        <source>Headphones are best: the model hears you alone, also while it speaks.</source>
        <translation>ヘッドホンが最適です。モデルが話している間も、あなたの声だけが届きます。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自動</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>常に</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>しない</translation>
    </message>
    <message>
        <source>Cancel echo</source>
        <translation>エコーキャンセル</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>キー操作</translation>
    </message>
    <message>
        <source>Automatic: wherever microphone and speaker are not one headset</source>
        <translation>自動: マイクとスピーカーが一つのヘッドセットでないときに働きます</translation>
    </message>
    <message>
        <source>Takes the speaker&apos;s sound out of the microphone&apos;s, and makes you quieter while both speak.</source>
        <translation>マイクの音からスピーカーの音を取り除きます。同時に話している間は、あなたの声が少し小さくなります。</translation>
    </message>
    <message>
        <source>Suppress noise</source>
        <translation>ノイズ抑制</translation>
    </message>
    <message>
        <source>Take out hum and hiss as well, wherever echo is cancelled</source>
        <translation>エコーキャンセルが働くとき、ハム音やヒスノイズも取り除きます</translation>
    </message>
    <message>
        <source>Hum and hiss go too, wherever echo is cancelled; adds 6 ms.</source>
        <translation>エコーキャンセルが働くとき、ハム音やヒスノイズも取り除きます。遅延が 6 ms 増えます。</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>録音</translation>
    </message>
    <message>
        <source>Record every talk</source>
        <translation>すべての会話を録音</translation>
    </message>
    <message>
        <source>Keep the sound and the words of each talk on this computer (R while talking)</source>
        <translation>会話ごとに音声と言葉をこのコンピューターに残す（会話中は R キー）</translation>
    </message>
    <message>
        <source>Both voices and the words, on this computer alone. A red dot shows while it is on.</source>
        <translation>両方の声と言葉を、このコンピューターだけに残します。録音中は赤い点が付きます。</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>フォルダーを開く</translation>
    </message>
    <message>
        <source>Show the recordings in the file manager</source>
        <translation>録音をファイルマネージャーで表示する</translation>
    </message>
    <message>
        <source>Where they are kept</source>
        <translation>保存場所</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外観</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>システムに合わせる</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>Follow the system between light and dark</source>
        <translation>システムのライト・ダーク設定に合わせる</translation>
    </message>
    <message>
        <source>Dark letters on a light ground</source>
        <translation>明るい背景に暗い文字</translation>
    </message>
    <message>
        <source>Light letters on a dark ground</source>
        <translation>暗い背景に明るい文字</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>配色</translation>
    </message>
    <message>
        <source>It takes effect when Aizuchi is opened the next time.</source>
        <translation>次に Aizuchi を開いたときから有効になります。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>How the model chooses what to say</source>
        <translation>モデルの言葉の選び方</translation>
    </message>
    <message>
        <source>As the model was made</source>
        <translation>モデルの標準</translation>
    </message>
    <message>
        <source>{0} seconds</source>
        <translation>{0} 秒</translation>
    </message>
    <message>
        <source>Hugging Face</source>
        <translation>Hugging Face</translation>
    </message>
    <message>
        <source>Token</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Put the token into the keyring of this system; an empty one is taken out</source>
        <translation>トークンをシステムのキーリングに保存します。空にすると削除されます</translation>
    </message>
    <message>
        <source>For models that ask you to log in; kept in the system&apos;s keyring, in no file.</source>
        <translation>ログインが必要なモデルのためのものです。システムのキーリングだけに保存され、ファイルには書かれません。</translation>
    </message>
    <message>
        <source>It is kept.</source>
        <translation>保存しました。</translation>
    </message>
    <message>
        <source>There is none any more.</source>
        <translation>削除しました。</translation>
    </message>
    <message>
        <source>The folder could not be made: {0}.</source>
        <translation>フォルダーを作成できませんでした: {0}</translation>
    </message>
    <message>
        <source>No file manager could be opened.</source>
        <translation>ファイルマネージャーを開けませんでした。</translation>
    </message>
    <message>
        <source>The folder is {0}.</source>
        <translation>フォルダーは {0} です。</translation>
    </message>
</context>
<context>
    <name>ShareBar</name>
    <message>
        <source>Who spoke how much</source>
        <translation>発話の割合</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>Everywhere</source>
        <translation>どこでも</translation>
    </message>
    <message>
        <source>Talk; Ctrl+2 to Ctrl+5 the other pages</source>
        <translation>会話。Ctrl+2 〜 Ctrl+5 でほかのページ</translation>
    </message>
    <message>
        <source>the next control</source>
        <translation>次の操作部品</translation>
    </message>
    <message>
        <source>show these keys</source>
        <translation>キーの一覧を表示</translation>
    </message>
    <message>
        <source>the same, where nothing is written</source>
        <translation>同上（文字の入力中を除く）</translation>
    </message>
    <message>
        <source>Talk</source>
        <translation>会話</translation>
    </message>
    <message>
        <source>start and stop</source>
        <translation>開始と停止</translation>
    </message>
    <message>
        <source>mute</source>
        <translation>ミュート</translation>
    </message>
    <message>
        <source>record or not</source>
        <translation>録音の切り替え</translation>
    </message>
    <message>
        <source>let the model begin anew</source>
        <translation>モデルを最初からやり直す</translation>
    </message>
    <message>
        <source>louder; Ctrl+Down softer</source>
        <translation>音量を上げる。Ctrl+Down で下げる</translation>
    </message>
    <message>
        <source>open what can be changed while talking</source>
        <translation>会話中に変えられる設定を開く</translation>
    </message>
    <message>
        <source>close it</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation>タイムライン</translation>
    </message>
    <message>
        <source>back, and with the right arrow on</source>
        <translation>戻る。右矢印で進む</translation>
    </message>
    <message>
        <source>closer, and with − farther</source>
        <translation>拡大。− で縮小</translation>
    </message>
    <message>
        <source>to the present, Home to the beginning</source>
        <translation>現在へ。Home で最初へ</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>録音</translation>
    </message>
    <message>
        <source>search in the model&apos;s words</source>
        <translation>モデルの言葉を検索</translation>
    </message>
    <message>
        <source>A recording</source>
        <translation>録音の再生</translation>
    </message>
    <message>
        <source>play and pause</source>
        <translation>再生と一時停止</translation>
    </message>
    <message>
        <source>repeat the marked stretch</source>
        <translation>選んだ区間を繰り返す</translation>
    </message>
    <message>
        <source>move to the trash</source>
        <translation>ゴミ箱に移す</translation>
    </message>
    <message>
        <source>back to the list</source>
        <translation>一覧に戻る</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>学習</translation>
    </message>
    <message>
        <source>Data; Alt+2 to Alt+4 the other steps</source>
        <translation>データ。Alt+2 〜 Alt+4 でほかの手順</translation>
    </message>
    <message>
        <source>Words beside the sound</source>
        <translation>音声と言葉の編集</translation>
    </message>
    <message>
        <source>write the word</source>
        <translation>言葉を書く</translation>
    </message>
    <message>
        <source>a new one</source>
        <translation>新しい言葉</translation>
    </message>
    <message>
        <source>take it away</source>
        <translation>取り除く</translation>
    </message>
    <message>
        <source>give it to the other voice</source>
        <translation>もう一方の話者に移す</translation>
    </message>
    <message>
        <source>play the word</source>
        <translation>言葉を再生</translation>
    </message>
    <message>
        <source>begin earlier; with Shift end earlier, with the right arrow later</source>
        <translation>始まりを早める。Shift で終わりを早め、右矢印で遅らせる</translation>
    </message>
    <message>
        <source>undo; Ctrl+Shift+Z again</source>
        <translation>元に戻す。Ctrl+Shift+Z でやり直す</translation>
    </message>
    <message>
        <source>save</source>
        <translation>保存</translation>
    </message>
</context>
<context>
    <name>SideBar</name>
    <message>
        <source>Pages</source>
        <translation>ページ</translation>
    </message>
</context>
<context>
    <name>Signpost</name>
    <message>
        <source>A model has to be in memory before you can talk with it.</source>
        <translation>会話するには、モデルをメモリに読み込む必要があります。</translation>
    </message>
    <message>
        <source>Load {0}</source>
        <translation>{0} を読み込む</translation>
    </message>
    <message>
        <source>No model is loaded</source>
        <translation>モデルが読み込まれていません</translation>
    </message>
    <message>
        <source>Loading {0}</source>
        <translation>{0} を読み込んでいます</translation>
    </message>
    <message>
        <source>You can look around meanwhile.</source>
        <translation>その間、ほかのページを見ていても構いません。</translation>
    </message>
    <message>
        <source>Aizuchi lets you talk with a model that listens while it speaks. Put on headphones, press Start, and say hello, in English or Japanese. This one is small and knows a few dozen phrases; the others are on the page of models. Everything stays on this computer.</source>
        <translation>Aizuchi では、話しながら聞くモデルと会話できます。ヘッドホンを着けて［開始］を押し、日本語か英語で「こんにちは」と話しかけてみてください。このモデルは小型で、数十種類の言い回しを知っています。ほかのモデルは［モデル］ページにあります。会話の内容がこのコンピューターから出ることはありません。</translation>
    </message>
    <message>
        <source>Hello.</source>
        <translation>こんにちは。</translation>
    </message>
    <message>
        <source>Put on headphones, press Start, and say something. It may also begin by itself.</source>
        <translation>ヘッドホンを着けて［開始］を押し、話しかけてください。モデルから話し始めることもあります。</translation>
    </message>
    <message>
        <source>{0} is ready</source>
        <translation>{0} の準備ができました</translation>
    </message>
    <message>
        <source>One moment</source>
        <translation>お待ちください</translation>
    </message>
    <message>
        <source>The sound devices are being opened.</source>
        <translation>サウンドデバイスを開いています。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>The talk begins as soon as the model is in memory.</source>
        <translation>モデルの読み込みが終わりしだい、会話が始まります。</translation>
    </message>
    <message>
        <source>Close other programs that use this computer.</source>
        <translation>このコンピューターを使っている他のプログラムを終了してください。</translation>
    </message>
    <message>
        <source>End the talk and load the same model with its weights in {0} bits</source>
        <translation>会話を終えて、同じモデルを {0} ビットの重みで読み込みます</translation>
    </message>
    <message>
        <source>Load in {0} bits</source>
        <translation>{0} ビットで読み込む</translation>
    </message>
    <message>
        <source>The same model is lighter in {0} bits.</source>
        <translation>同じモデルを {0} ビットにすると軽くなります。</translation>
    </message>
    <message>
        <source>Close other programs that use this computer, or try a smaller model.</source>
        <translation>このコンピューターを使っている他のプログラムを終了するか、より小さいモデルを試してください。</translation>
    </message>
    <message>
        <source>This computer can not keep up just now: sound is skipped.</source>
        <translation>処理が間に合わず、音声が飛んでいます。</translation>
    </message>
    <message>
        <source>This model needs {0} ms for each {1} ms here: sound is skipped.</source>
        <translation>このモデルは {1} ms ごとに {0} ms かかるため、音声が飛んでいます。</translation>
    </message>
    <message>
        <source>Choose its voice and its role (Ctrl+,)</source>
        <translation>声と役割を選びます (Ctrl+,)</translation>
    </message>
    <message>
        <source>Voice and role…</source>
        <translation>声と役割…</translation>
    </message>
    <message>
        <source>The model is reading its voice and role and can not hear you: {0} %.</source>
        <translation>声と役割を読み込んでいます。その間、あなたの声は聞こえません: {0} %。</translation>
    </message>
    <message>
        <source>The model is reading its voice and role</source>
        <translation>声と役割を読み込んでいます</translation>
    </message>
    <message>
        <source>It can not hear you yet. The talk starts when it is done.</source>
        <translation>まだあなたの声は聞こえていません。終わると会話が始まります。</translation>
    </message>
    <message>
        <source>{0} %</source>
        <translation>{0} %</translation>
    </message>
    <message>
        <source>The talk took {0} and is recorded.</source>
        <translation>{0} の会話を録音しました。</translation>
    </message>
    <message>
        <source>The talk took {0} and was not recorded.</source>
        <translation>{0} の会話は録音されていません。</translation>
    </message>
    <message>
        <source>Delete the recording</source>
        <translation>録音の削除</translation>
    </message>
    <message>
        <source>Move this talk to the trash?</source>
        <translation>この会話をゴミ箱に移動しますか？</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>ゴミ箱に移動</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>残す</translation>
    </message>
    <message>
        <source>Open the page of models (Ctrl+3)</source>
        <translation>［モデル］ページを開く (Ctrl+3)</translation>
    </message>
    <message>
        <source>Choose another model</source>
        <translation>ほかのモデルを選ぶ</translation>
    </message>
    <message>
        <source>Load the model into memory</source>
        <translation>モデルをメモリに読み込む</translation>
    </message>
    <message>
        <source>Close Aizuchi and open it again as it is now</source>
        <translation>Aizuchi を閉じて、今の状態で開き直します</translation>
    </message>
    <message>
        <source>Restart Aizuchi</source>
        <translation>Aizuchi を再起動</translation>
    </message>
    <message>
        <source>Open the recording of this talk</source>
        <translation>この会話の録音を開く</translation>
    </message>
    <message>
        <source>Play it back</source>
        <translation>再生する</translation>
    </message>
    <message>
        <source>Use for training</source>
        <translation>学習に使う</translation>
    </message>
    <message>
        <source>Make a dataset of this talk, for a model to learn from</source>
        <translation>この会話から学習用のデータセットを作る</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Move the recording to the trash</source>
        <translation>録音をゴミ箱に移動する</translation>
    </message>
</context>
<context>
    <name>SoundBar</name>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>The model to talk with</source>
        <translation>会話するモデル</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>What the model hears</source>
        <translation>モデルが聞くマイク</translation>
    </message>
    <message>
        <source>Speaker</source>
        <translation>スピーカー</translation>
    </message>
    <message>
        <source>What the model speaks through</source>
        <translation>モデルが話すスピーカー</translation>
    </message>
    <message>
        <source>Your level</source>
        <translation>あなたの音量</translation>
    </message>
    <message>
        <source>The model&apos;s level</source>
        <translation>モデルの音量</translation>
    </message>
    <message>
        <source>Live settings and graphs (Ctrl+,)</source>
        <translation>会話中の設定とグラフ (Ctrl+,)</translation>
    </message>
    <message>
        <source>Live settings</source>
        <translation>会話中の設定</translation>
    </message>
    <message>
        <source>tiny (to try things)</source>
        <translation>tiny（お試し用）</translation>
    </message>
    <message>
        <source>echo (to test)</source>
        <translation>echo（テスト用）</translation>
    </message>
    <message>
        <source>All models…</source>
        <translation>すべてのモデル…</translation>
    </message>
</context>
<context>
    <name>SoundReader</name>
    <message>
        <source>The sound of {0} can not be read.</source>
        <translation>{0} の音声を読み取れません。</translation>
    </message>
    <message>
        <source>Import the dialogue again, or leave it out of the dataset.</source>
        <translation>対話をインポートし直すか、データセットから外してください。</translation>
    </message>
    <message>
        <source>The sound of {0} can not be read any further.</source>
        <translation>{0} の音声をこれ以上読み取れません。</translation>
    </message>
    <message>
        <source>The file may be damaged or may have been moved; import the dialogue again.</source>
        <translation>ファイルが壊れているか、移動された可能性があります。対話をインポートし直してください。</translation>
    </message>
</context>
<context>
    <name>SoundView</name>
    <message>
        <source>overlap</source>
        <translation>発話の重なり</translation>
    </message>
</context>
<context>
    <name>Sources</name>
    <message>
        <source>Talks to learn from</source>
        <translation>学習に使う会話</translation>
    </message>
    <message>
        <source>Click, or press Space, to mark a talk or not</source>
        <translation>クリックまたは Space で会話を選択・解除</translation>
    </message>
    <message>
        <source>No talks yet. Every talk is recorded unless you switch it off; Ctrl+1 begins one.</source>
        <translation>会話はまだありません。録音をオフにしない限り、会話はすべて録音されます。Ctrl+1 で会話を始められます。</translation>
    </message>
    <message>
        <source>1 of {1} talks, {2}</source>
        <translation>会話 {1} 件中 1 件、{2}</translation>
    </message>
    <message>
        <source>{0} of {1} talks, {2}</source>
        <translation>会話 {1} 件中 {0} 件、{2}</translation>
    </message>
    <message>
        <source>All</source>
        <translation>すべて</translation>
    </message>
    <message>
        <source>Mark every talk</source>
        <translation>すべての会話を選択する</translation>
    </message>
    <message>
        <source>None</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>Mark no talk</source>
        <translation>すべての会話の選択を解除する</translation>
    </message>
    <message>
        <source>Your talks</source>
        <translation>自分の会話</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Graphics memory</source>
        <translation>GPU メモリ</translation>
    </message>
    <message>
        <source>Sound devices</source>
        <translation>サウンドデバイス</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>ネットワーク</translation>
    </message>
    <message>
        <source>Last trouble</source>
        <translation>直前の問題</translation>
    </message>
    <message>
        <source>no model</source>
        <translation>モデルなし</translation>
    </message>
    <message>
        <source>loading…</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>default sound</source>
        <translation>既定のサウンド</translation>
    </message>
    <message>
        <source>Microphone: {0}
Speaker: {1}</source>
        <translation>マイク: {0}
スピーカー: {1}</translation>
    </message>
    <message>
        <source>{0} of {1} GB</source>
        <translation>{0} / {1} GB</translation>
    </message>
    <message>
        <source>Graphics memory in use by all programs</source>
        <translation>すべてのプログラムが使用中の GPU メモリ</translation>
    </message>
    <message>
        <source>network on</source>
        <translation>通信中</translation>
    </message>
    <message>
        <source>network off</source>
        <translation>通信なし</translation>
    </message>
    <message>
        <source>A model is being downloaded.</source>
        <translation>モデルをダウンロードしています。</translation>
    </message>
    <message>
        <source>Nothing leaves this computer.</source>
        <translation>このコンピューターの外には何も送信されません。</translation>
    </message>
    <message>
        <source>What to do</source>
        <translation>対処方法</translation>
    </message>
    <message>
        <source>{0} takes {1} GB on {2}; loaded in {3} s</source>
        <translation>{0}: {2} で {1} GB を使用、読み込み {3} 秒</translation>
    </message>
</context>
<context>
    <name>Step</name>
    <message>
        <source>Step {0}: {1}</source>
        <translation>手順 {0}: {1}</translation>
    </message>
    <message>
        <source>done</source>
        <translation>完了</translation>
    </message>
</context>
<context>
    <name>StepBar</name>
    <message>
        <source>Steps of training</source>
        <translation>学習の手順</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>データ</translation>
    </message>
    <message>
        <source>What the model learns from</source>
        <translation>モデルが学習するデータ</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>確認</translation>
    </message>
    <message>
        <source>See what will be learnt, and mend what is odd</source>
        <translation>何が学習されるかを見て、おかしな点を直す</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>学習</translation>
    </message>
    <message>
        <source>Train, and watch it</source>
        <translation>学習を行い、様子を見る</translation>
    </message>
    <message>
        <source>Listen</source>
        <translation>試聴</translation>
    </message>
    <message>
        <source>Hear before and after, and make a model of it</source>
        <translation>学習前と学習後を聞き、モデルを作成する</translation>
    </message>
</context>
<context>
    <name>TalkGuard</name>
    <message>
        <source>A talk is being recorded</source>
        <translation>会話を録音中です</translation>
    </message>
    <message>
        <source>End the talk that is being recorded?</source>
        <translation>録音中の会話を終了しますか？</translation>
    </message>
    <message>
        <source>What was said until now is kept.</source>
        <translation>ここまでの録音は保存されます。</translation>
    </message>
    <message>
        <source>End the talk</source>
        <translation>会話を終了</translation>
    </message>
    <message>
        <source>Go on talking</source>
        <translation>会話を続ける</translation>
    </message>
</context>
<context>
    <name>TalkPage</name>
    <message>
        <source>begun anew</source>
        <translation>最初から</translation>
    </message>
    <message>
        <source>muted</source>
        <translation>ミュート</translation>
    </message>
    <message>
        <source>heard again</source>
        <translation>ミュート解除</translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Timeline</source>
        <translation>タイムライン</translation>
    </message>
    <message>
        <source>The wheel zooms, dragging goes back, the arrow keys move, End returns to the newest.</source>
        <translation>ホイールで拡大・縮小、ドラッグで過去へ、矢印キーで移動、End で最新に戻ります。</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>最新</translation>
    </message>
    <message>
        <source>Return to the newest (End)</source>
        <translation>最新に戻る (End)</translation>
    </message>
    <message>
        <source>Return to the newest</source>
        <translation>最新に戻る</translation>
    </message>
    <message>
        <source>interruption: the model stops after {length} s</source>
        <translation>割り込み: モデルは {length} 秒後に話をやめました</translation>
    </message>
    <message>
        <source>You</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>overlap</source>
        <translation>発話の重なり</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>backchannel, {length} s</source>
        <translation>相槌、{length} 秒</translation>
    </message>
</context>
<context>
    <name>Told</name>
    <message>
        <source>Comes with Aizuchi: a small demonstration that knows turn taking and a few dozen phrases.</source>
        <translation>Aizuchi に付属する小さなデモ用モデルです。ターンの交替と数十種類の言い回しを知っています。</translation>
    </message>
    <message>
        <source>Kyutai&apos;s English model with a male voice, in full precision.</source>
        <translation>Kyutai の英語モデル（男性の声、フル精度）です。</translation>
    </message>
    <message>
        <source>Kyutai&apos;s English model with a female voice, in full precision.</source>
        <translation>Kyutai の英語モデル（女性の声、フル精度）です。</translation>
    </message>
    <message>
        <source>Moshiko in 8 bits, for graphics cards with 16 GB; with 12 GB Mimi runs on the processor.</source>
        <translation>8 ビットの Moshiko です。16 GB の GPU 向けで、12 GB なら Mimi は CPU で動きます。</translation>
    </message>
    <message>
        <source>Moshika in 8 bits, for graphics cards with 16 GB; with 12 GB Mimi runs on the processor.</source>
        <translation>8 ビットの Moshika です。16 GB の GPU 向けで、12 GB なら Mimi は CPU で動きます。</translation>
    </message>
    <message>
        <source>Nagoya University&apos;s Japanese model, finetuned on recorded dialogue.</source>
        <translation>名古屋大学の日本語モデルです。録音された対話でファインチューニングされています。</translation>
    </message>
    <message>
        <source>J-Moshi finetuned on 602 hours of synthetic dialogue more.</source>
        <translation>J-Moshi を、さらに 602 時間の合成対話でファインチューニングしたモデルです。</translation>
    </message>
    <message>
        <source>LLM-jp&apos;s Japanese model, rated more natural than J-Moshi by listeners.</source>
        <translation>LLM-jp の日本語モデルです。聴取評価で J-Moshi より自然とされています。</translation>
    </message>
    <message>
        <source>NVIDIA&apos;s English model, told its voice and its role before a talk.</source>
        <translation>NVIDIAの英語モデル。会話の前に声と役割を指定できます。</translation>
    </message>
    <message>
        <source>Josh Talks&apos; Hindi model, trained on 26,000 hours of recorded dialogue.</source>
        <translation>Josh Talksのヒンディー語モデル。2万6千時間の録音対話で学習しています。</translation>
    </message>
    <message>
        <source>There are no sound devices: a recorded user speaks in your place, and nothing is played.</source>
        <translation>サウンドデバイスがないため、録音されたユーザーが代わりに話し、音は再生されません。</translation>
    </message>
    <message>
        <source>Looking for the files</source>
        <translation>ファイルを探しています</translation>
    </message>
    <message>
        <source>Checking the files</source>
        <translation>ファイルを確認しています</translation>
    </message>
    <message>
        <source>Reading Mimi</source>
        <translation>Mimi を読み込んでいます</translation>
    </message>
    <message>
        <source>Reading the language model</source>
        <translation>言語モデルを読み込んでいます</translation>
    </message>
    <message>
        <source>Checking the graphics card</source>
        <translation>GPU を検査しています</translation>
    </message>
    <message>
        <source>Warming up</source>
        <translation>ウォームアップ中</translation>
    </message>
    <message>
        <source>Reading the model</source>
        <translation>モデルを読み込んでいます</translation>
    </message>
    <message>
        <source>Reading the checkpoint</source>
        <translation>チェックポイントを読み込んでいます</translation>
    </message>
    <message>
        <source>Reading the recogniser</source>
        <translation>音声認識モデルを読み込んでいます</translation>
    </message>
    <message>
        <source>Reading tokens</source>
        <translation>トークンを読み込んでいます</translation>
    </message>
    <message>
        <source>Importing</source>
        <translation>インポート中</translation>
    </message>
    <message>
        <source>Transcribing</source>
        <translation>文字起こし中</translation>
    </message>
    <message>
        <source>Looking at the sound</source>
        <translation>音声を調べています</translation>
    </message>
    <message>
        <source>Encoding</source>
        <translation>エンコード中</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>書き込み中</translation>
    </message>
    <message>
        <source>Downloading {0}</source>
        <translation>{0} をダウンロード中</translation>
    </message>
    <message>
        <source>The sound system does not answer.</source>
        <translation>サウンドシステムが応答しません。</translation>
    </message>
    <message>
        <source>Restart it, or log out and in again.</source>
        <translation>再起動するか、ログインし直してください。</translation>
    </message>
    <message>
        <source>No microphone or no speaker could be opened.</source>
        <translation>マイクまたはスピーカーを開けませんでした。</translation>
    </message>
    <message>
        <source>Plug one in, or check the system&apos;s sound settings, and start again.</source>
        <translation>接続するか、システムのサウンド設定を確認して、もう一度始めてください。</translation>
    </message>
    <message>
        <source>There is no microphone or no speaker that works; the talk waits.</source>
        <translation>使えるマイクまたはスピーカーがありません。会話は待機しています。</translation>
    </message>
    <message>
        <source>Plug one in, or choose another one in the system&apos;s sound settings: the talk goes on by itself.</source>
        <translation>接続するか、システムのサウンド設定で別のものを選んでください。会話は自動的に再開します。</translation>
    </message>
    <message>
        <source>The sound was lost and is being set up again.</source>
        <translation>サウンドが途切れたため、設定し直しています。</translation>
    </message>
    <message>
        <source>If this comes again, check the cable of the device.</source>
        <translation>繰り返す場合は、機器のケーブルを確認してください。</translation>
    </message>
    <message>
        <source>PortAudio is not installed.</source>
        <translation>PortAudio がインストールされていません。</translation>
    </message>
    <message>
        <source>Install it: sudo apt install libportaudio2.</source>
        <translation>インストールしてください: sudo apt install libportaudio2</translation>
    </message>
    <message>
        <source>The microphone “{0}” is not there; the default microphone is used.</source>
        <translation>マイク「{0}」が見つかりません。既定のマイクを使います。</translation>
    </message>
    <message>
        <source>The speaker “{0}” is not there; the default speaker is used.</source>
        <translation>スピーカー「{0}」が見つかりません。既定のスピーカーを使います。</translation>
    </message>
    <message>
        <source>Plug it in again and start a new talk to use it, or choose another one.</source>
        <translation>接続し直して新しい会話を始めるか、別のものを選んでください。</translation>
    </message>
    <message>
        <source>Echo can not be cancelled here: {0}.</source>
        <translation>ここではエコーを取り除けません: {0}。</translation>
    </message>
    <message>
        <source>Use headphones, or set up the Python environment anew.</source>
        <translation>ヘッドホンを使うか、Python 環境を作り直してください。</translation>
    </message>
    <message>
        <source>The audio file {0} is empty.</source>
        <translation>音声ファイル {0} は空です。</translation>
    </message>
    <message>
        <source>Choose a file with some sound in it.</source>
        <translation>音の入ったファイルを選んでください。</translation>
    </message>
    <message>
        <source>The audio file {0} holds values that are not numbers.</source>
        <translation>音声ファイル {0} に数値でない値が含まれています。</translation>
    </message>
    <message>
        <source>Export it anew as 16-bit WAV or FLAC.</source>
        <translation>16 ビットの WAV か FLAC で書き出し直してください。</translation>
    </message>
    <message>
        <source>There is no audio file {0}.</source>
        <translation>音声ファイル {0} がありません。</translation>
    </message>
    <message>
        <source>Check the name and the folder.</source>
        <translation>名前とフォルダーを確認してください。</translation>
    </message>
    <message>
        <source>The file {0} can not be read as audio: {1}</source>
        <translation>ファイル {0} を音声として読めません: {1}</translation>
    </message>
    <message>
        <source>Choose a WAV, FLAC, Ogg or MP3 file.</source>
        <translation>WAV、FLAC、Ogg、MP3 のいずれかを選んでください。</translation>
    </message>
    <message>
        <source>{0} holds other files.</source>
        <translation>{0} にはほかのファイルがあります。</translation>
    </message>
    <message>
        <source>Name a new or an empty folder for the dataset.</source>
        <translation>データセット用に、新しいか空のフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>The dataset {0} can not be made: {1}.</source>
        <translation>データセット {0} を作れません: {1}。</translation>
    </message>
    <message>
        <source>Choose another folder.</source>
        <translation>別のフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>{0} was made by a newer Aizuchi.</source>
        <translation>{0} は新しいバージョンの Aizuchi で作られています。</translation>
    </message>
    <message>
        <source>Update the program.</source>
        <translation>プログラムを更新してください。</translation>
    </message>
    <message>
        <source>There is no dataset in {0}.</source>
        <translation>{0} にデータセットがありません。</translation>
    </message>
    <message>
        <source>Make one with `aizuchi data import`.</source>
        <translation>`aizuchi data import` で作ってください。</translation>
    </message>
    <message>
        <source>{0} is damaged.</source>
        <translation>{0} は壊れています。</translation>
    </message>
    <message>
        <source>Import the dialogues again.</source>
        <translation>対話を取り込み直してください。</translation>
    </message>
    <message>
        <source>The words {0} are missing.</source>
        <translation>言葉のファイル {0} がありません。</translation>
    </message>
    <message>
        <source>Transcribe the dialogue, or import it again.</source>
        <translation>対話を書き起こすか、取り込み直してください。</translation>
    </message>
    <message>
        <source>{0} can not be read: {1}.</source>
        <translation>{0} を読めません: {1}。</translation>
    </message>
    <message>
        <source>{0} does not hold words with times.</source>
        <translation>{0} に時刻付きの言葉がありません。</translation>
    </message>
    <message>
        <source>{0} was written by a newer version of Aizuchi.</source>
        <translation>{0} は新しいバージョンの Aizuchi で書かれています。</translation>
    </message>
    <message>
        <source>Update Aizuchi, or make the file again with `aizuchi quantize`.</source>
        <translation>Aizuchi を更新するか、`aizuchi quantize` でファイルを作り直してください。</translation>
    </message>
    <message>
        <source>{0} has {1} codes, and the language model {2} expects {3}.</source>
        <translation>{0} のコードは {1} 個ですが、言語モデル {2} は {3} 個を必要とします。</translation>
    </message>
    <message>
        <source>Use the Mimi that the model was trained with.</source>
        <translation>モデルの学習に使われた Mimi を使ってください。</translation>
    </message>
    <message>
        <source>{0} has {1} pieces, and the model expects {2}.</source>
        <translation>{0} のピースは {1} 個ですが、モデルは {2} 個を必要とします。</translation>
    </message>
    <message>
        <source>Use the tokenizer that the model was trained with; another would speak other words.</source>
        <translation>モデルの学習に使われたトークナイザーを使ってください。別のものでは違う言葉になります。</translation>
    </message>
    <message>
        <source>{0} describes no model that moshi can build: {1}.</source>
        <translation>{0} の内容からは moshi のモデルを作れません: {1}。</translation>
    </message>
    <message>
        <source>Copy or download the configuration again.</source>
        <translation>設定ファイルをコピーまたはダウンロードし直してください。</translation>
    </message>
    <message>
        <source>{0} does not fit its configuration: {1}.</source>
        <translation>{0} が設定と合いません: {1}。</translation>
    </message>
    <message>
        <source>The file belongs to another model, or to another configuration: copy or download both again.</source>
        <translation>別のモデルか別の設定のファイルです。両方をコピーまたはダウンロードし直してください。</translation>
    </message>
    <message>
        <source>{0} is no SentencePiece model, or it is damaged.</source>
        <translation>{0} は SentencePiece のモデルではないか、壊れています。</translation>
    </message>
    <message>
        <source>{0} has no {1}.</source>
        <translation>{0} に {1} がありません。</translation>
    </message>
    <message>
        <source>Copy it there, or name the model that has it as the base (--base).</source>
        <translation>そこにコピーするか、それを持つモデルをベース (--base) に指定してください。</translation>
    </message>
    <message>
        <source>There is no model called &apos;{0}&apos;.</source>
        <translation>「{0}」というモデルはありません。</translation>
    </message>
    <message>
        <source>Name one of {0}, tiny or echo, a folder, or a hub repository as owner/name.</source>
        <translation>{0}、tiny、echo のどれか、フォルダー、または Hub のリポジトリ owner/name を指定してください。</translation>
    </message>
    <message>
        <source>{0} is not a JSON object.</source>
        <translation>{0} は JSON オブジェクトではありません。</translation>
    </message>
    <message>
        <source>{0} has a strange value for {1}: {2}.</source>
        <translation>{0} の {1} の値が不正です: {2}。</translation>
    </message>
    <message>
        <source>{0} describes a model of the kind &apos;{1}&apos;, not one for dialogue.</source>
        <translation>{0} は「{1}」という種類のモデルで、対話用ではありません。</translation>
    </message>
    <message>
        <source>{0} says nothing about {1}.</source>
        <translation>{0} に {1} の記述がありません。</translation>
    </message>
    <message>
        <source>{0} describes no dialogue model: {1}.</source>
        <translation>{0} は対話モデルではありません: {1}。</translation>
    </message>
    <message>
        <source>{0} holds no model that could be recognised.</source>
        <translation>{0} に認識できるモデルがありません。</translation>
    </message>
    <message>
        <source>{0} has no {1}, and {2} is not a Moshi 7B.</source>
        <translation>{0} に {1} がなく、{2} は Moshi 7B ではありません。</translation>
    </message>
    <message>
        <source>{0} is a LoRA adapter, but its configuration does not say so.</source>
        <translation>{0} は LoRA アダプターですが、設定にその記述がありません。</translation>
    </message>
    <message>
        <source>{0} is a LoRA adapter, and its base has 8-bit weights: they do not go together.</source>
        <translation>{0} は LoRA アダプターですが、ベースの重みが 8 ビットなので一緒に使えません。</translation>
    </message>
    <message>
        <source>Choose the full-precision model as the base.</source>
        <translation>ベースにはフル精度のモデルを選んでください。</translation>
    </message>
    <message>
        <source>The base {0} is an adapter itself.</source>
        <translation>ベース {0} 自体がアダプターです。</translation>
    </message>
    <message>
        <source>{0} has no {1}, so its shape is not known.</source>
        <translation>{0} に {1} がないため、モデルの形がわかりません。</translation>
    </message>
    <message>
        <source>{0} on the hub has no file {1}.</source>
        <translation>Hub の {0} に {1} というファイルがありません。</translation>
    </message>
    <message>
        <source>{0} needs {1} GB of graphics memory, and {2} of {3} GB are free on {4}.</source>
        <translation>{0} には GPU メモリが {1} GB 必要ですが、{4} で空いているのは {3} GB 中 {2} GB です。</translation>
    </message>
    <message>
        <source>{0} needs {1} GB of memory, and {2} of {3} GB are free on {4}.</source>
        <translation>{0} にはメモリが {1} GB 必要ですが、{4} で空いているのは {3} GB 中 {2} GB です。</translation>
    </message>
    <message>
        <source>With --mode {0} it needs {1} GB.</source>
        <translation>--mode {0} なら {1} GB で動きます。</translation>
    </message>
    <message>
        <source>With a context of {0} frames ({1} s) it needs {2} GB.</source>
        <translation>記憶を {0} フレーム（{1} 秒）にすると {2} GB で動きます。</translation>
    </message>
    <message>
        <source>Close other programs that use the memory, or choose a smaller model.</source>
        <translation>メモリを使っているほかのプログラムを閉じるか、小さいモデルを選んでください。</translation>
    </message>
    <message>
        <source>Close other programs that use the graphics card, or choose a smaller model.</source>
        <translation>GPU を使っているほかのプログラムを閉じるか、小さいモデルを選んでください。</translation>
    </message>
    <message>
        <source>The weights of {0} are kept in {1}, not in {2}.</source>
        <translation>{0} の重みは {2} ではなく {1} で保持されています。</translation>
    </message>
    <message>
        <source>Leave out --mode, or choose the whole model.</source>
        <translation>--mode を外すか、元のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{0} can not be kept in {1}: packed weights do not go with {2}.</source>
        <translation>{0} を {1} では保持できません。圧縮した重みは {2} と一緒に使えません。</translation>
    </message>
    <message>
        <source>Leave out --mode or --engine, or choose --mode bf16.</source>
        <translation>--mode か --engine を外すか、--mode bf16 を選んでください。</translation>
    </message>
    <message>
        <source>Keys and values of {0} can not be kept in {1}: that does not go with {2}.</source>
        <translation>{0} のキーと値を {1} では保持できません。{2} と一緒に使えません。</translation>
    </message>
    <message>
        <source>Leave out --kv or --engine.</source>
        <translation>--kv か --engine を外してください。</translation>
    </message>
    <message>
        <source>{0} is not on this computer, and the hub can not be reached.</source>
        <translation>{0} はこのコンピューターになく、Hub にも接続できません。</translation>
    </message>
    <message>
        <source>Connect to the network, or copy the model into a folder and choose that.</source>
        <translation>ネットワークに接続するか、モデルをフォルダーにコピーしてそれを選んでください。</translation>
    </message>
    <message>
        <source>{0} asks you to accept its licence first.</source>
        <translation>{0} は、先にライセンスへの同意が必要です。</translation>
    </message>
    <message>
        <source>Accept it at {0}, then give a token of yours under Settings, or `hf auth login`.</source>
        <translation>{0} で同意し、「設定」にトークンを入れるか `hf auth login` を実行してください。</translation>
    </message>
    <message>
        <source>There is no repository {0} on the hub, or it is private.</source>
        <translation>Hub にリポジトリ {0} がないか、非公開です。</translation>
    </message>
    <message>
        <source>Look for it at {0}; a private one needs a token (Settings, or `hf auth login`).</source>
        <translation>{0} を確認してください。非公開のものにはトークンが必要です（「設定」または `hf auth login`）。</translation>
    </message>
    <message>
        <source>The download of {0} broke off: {1}.</source>
        <translation>{0} のダウンロードが中断しました: {1}。</translation>
    </message>
    <message>
        <source>Check the network and the room on the disk, then try again: it goes on where it stopped.</source>
        <translation>ネットワークとディスクの空きを確認して、もう一度お試しください。中断したところから続きます。</translation>
    </message>
    <message>
        <source>A context of {0} frames is too short to talk.</source>
        <translation>{0} フレームの記憶は会話には短すぎます。</translation>
    </message>
    <message>
        <source>Choose 375 (30 s) or more.</source>
        <translation>375（30 秒）以上を選んでください。</translation>
    </message>
    <message>
        <source>Name the right model with --base.</source>
        <translation>--base で正しいモデルを指定してください。</translation>
    </message>
    <message>
        <source>The graphics memory ran out while {0} was loaded.</source>
        <translation>{0} の読み込み中に GPU メモリが足りなくなりました。</translation>
    </message>
    <message>
        <source>torch.compile does not work here, so that each frame takes a little longer.</source>
        <translation>ここでは torch.compile が動かないため、各フレームの処理が少し長くなります。</translation>
    </message>
    <message>
        <source>The log holds the reason; Python&apos;s header files may be missing.</source>
        <translation>理由はログにあります。Python のヘッダーファイルがないのかもしれません。</translation>
    </message>
    <message>
        <source>Install a C compiler, for example with `sudo apt-get install gcc`.</source>
        <translation>C コンパイラーをインストールしてください（例: `sudo apt-get install gcc`）。</translation>
    </message>
    <message>
        <source>{0} can not be read: {1}. Check the disk, or copy or download the file again.</source>
        <translation>{0} を読めません: {1}。ディスクを確認するか、ファイルをコピーまたはダウンロードし直してください。</translation>
    </message>
    <message>
        <source>Check the disk, or copy or download the file again.</source>
        <translation>ディスクを確認するか、ファイルをコピーまたはダウンロードし直してください。</translation>
    </message>
    <message>
        <source>The fast engine does not cover a model with {0}.</source>
        <translation>高速エンジンは {0} を持つモデルに対応していません。</translation>
    </message>
    <message>
        <source>Choose --engine moshi.</source>
        <translation>--engine moshi を選んでください。</translation>
    </message>
    <message>
        <source>moshi&apos;s own engine takes nothing packed.</source>
        <translation>moshi 自身のエンジンは圧縮したものを扱えません。</translation>
    </message>
    <message>
        <source>Leave out --engine.</source>
        <translation>--engine を外してください。</translation>
    </message>
    <message>
        <source>{0} is not a safetensors file, or it is damaged.</source>
        <translation>{0} は safetensors ファイルではないか、壊れています。</translation>
    </message>
    <message>
        <source>Download it again; checkpoints of other formats (.pt, .bin, .gguf) have to be converted first.</source>
        <translation>ダウンロードし直してください。ほかの形式（.pt、.bin、.gguf）は先に変換が必要です。</translation>
    </message>
    <message>
        <source>{0} is cut short: it should have {1} bytes and has {2}.</source>
        <translation>{0} が途中で切れています。{1} バイトのはずが {2} バイトです。</translation>
    </message>
    <message>
        <source>Copy or download it again.</source>
        <translation>コピーまたはダウンロードし直してください。</translation>
    </message>
    <message>
        <source>Check the path and try again.</source>
        <translation>パスを確認して、もう一度お試しください。</translation>
    </message>
    <message>
        <source>{0} needs {1} GB more, and {2} GB are free in {3}.</source>
        <translation>{0} にはあと {1} GB 必要ですが、{3} の空きは {2} GB です。</translation>
    </message>
    <message>
        <source>Free some space, or let HF_HOME name a folder on another disk.</source>
        <translation>空きを作るか、HF_HOME で別のディスクのフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>{0} is not on this computer.</source>
        <translation>{0} はこのコンピューターにありません。</translation>
    </message>
    <message>
        <source>There is no microphone.</source>
        <translation>マイクがありません。</translation>
    </message>
    <message>
        <source>There is no speaker.</source>
        <translation>スピーカーがありません。</translation>
    </message>
    <message>
        <source>Plug one in, or choose one in the system&apos;s sound settings.</source>
        <translation>接続するか、システムのサウンド設定で選んでください。</translation>
    </message>
    <message>
        <source>The system&apos;s default microphone is only the monitor of a speaker.</source>
        <translation>システムの既定のマイクは、スピーカーのモニターにすぎません。</translation>
    </message>
    <message>
        <source>Choose a microphone here, or in the system&apos;s sound settings.</source>
        <translation>ここか、システムのサウンド設定でマイクを選んでください。</translation>
    </message>
    <message>
        <source>The microphone could not be opened.</source>
        <translation>マイクを開けませんでした。</translation>
    </message>
    <message>
        <source>The speaker could not be opened.</source>
        <translation>スピーカーを開けませんでした。</translation>
    </message>
    <message>
        <source>Close other programs that use it, or choose another one.</source>
        <translation>それを使っているほかのプログラムを閉じるか、別の機器を選んでください。</translation>
    </message>
    <message>
        <source>There is no microphone; the talk waits.</source>
        <translation>マイクがありません。会話は待機中です。</translation>
    </message>
    <message>
        <source>The sound system brings what a speaker plays in place of a microphone.</source>
        <translation>サウンドシステムが、マイクの代わりにスピーカーの音を渡しています。</translation>
    </message>
    <message>
        <source>The sound system brings what a speaker plays, and no microphone; the talk waits.</source>
        <translation>サウンドシステムが、マイクではなくスピーカーの音を渡しています。会話は待機中です。</translation>
    </message>
    <message>
        <source>The microphone brings no sound.</source>
        <translation>マイクから音が来ません。</translation>
    </message>
    <message>
        <source>The microphone brings no sound; the talk waits.</source>
        <translation>マイクから音が来ません。会話は待機中です。</translation>
    </message>
    <message>
        <source>The chosen microphone brings no sound; the default microphone is used.</source>
        <translation>選んだマイクから音が来ないため、既定のマイクを使います。</translation>
    </message>
    <message>
        <source>The speaker plays nothing; what the model says can not be heard.</source>
        <translation>スピーカーが再生していません。モデルの声は聞こえません。</translation>
    </message>
    <message>
        <source>The chosen speaker plays nothing; the default speaker is used.</source>
        <translation>選んだスピーカーが再生しないため、既定のスピーカーを使います。</translation>
    </message>
    <message>
        <source>Check its cable and its switch, or choose another one.</source>
        <translation>ケーブルとスイッチを確かめるか、別の機器を選んでください。</translation>
    </message>
    <message>
        <source>Wait a moment, or restart it: the talk goes on by itself.</source>
        <translation>しばらく待つか、再起動してください。会話は自動的に再開します。</translation>
    </message>
    <message>
        <source>The sound system does not answer; the talk waits.</source>
        <translation>サウンドシステムが応答しません。会話は待機中です。</translation>
    </message>
    <message>
        <source>The sound is back.</source>
        <translation>音が戻りました。</translation>
    </message>
    <message>
        <source>There is no speaker; the talk waits.</source>
        <translation>スピーカーがありません。会話は待機中です。</translation>
    </message>
    <message>
        <source>The system&apos;s default microphone is only the monitor of a speaker; the talk waits.</source>
        <translation>システムの既定のマイクはスピーカーのモニターにすぎません。会話は待機中です。</translation>
    </message>
    <message>
        <source>The microphone can not be opened; the talk waits.</source>
        <translation>マイクを開けません。会話は待機中です。</translation>
    </message>
    <message>
        <source>The speaker can not be opened; the talk waits.</source>
        <translation>スピーカーを開けません。会話は待機中です。</translation>
    </message>
    <message>
        <source>“{0}” is no microphone: the model hears what that speaker plays.</source>
        <translation>「{0}」はマイクではありません。モデルにはそのスピーカーの音が聞こえます。</translation>
    </message>
    <message>
        <source>Choose a microphone to speak with the model yourself.</source>
        <translation>自分でモデルと話すには、マイクを選んでください。</translation>
    </message>
    <message>
        <source>There is no device &apos;{0}&apos; that PyTorch can use.</source>
        <translation>PyTorch で使えるデバイス「{0}」はありません。</translation>
    </message>
    <message>
        <source>Choose {0} or one of {1}.</source>
        <translation>{0} か、次のいずれかを選んでください: {1}。</translation>
    </message>
    <message>
        <source>{0} needs code compiled for the graphics card to run in {1} with keys in {2}.</source>
        <translation>{0} を {1}（キーは {2}）で動かすには、GPU 用にコンパイルしたコードが必要です。</translation>
    </message>
    <message>
        <source>{0} is not valid JSON: it {1}.</source>
        <translation>{0} は正しい JSON ではありません（{1}）。</translation>
    </message>
    <message>
        <source>{0} describes no model that moshi can build: it has the unknown setting {1}.</source>
        <translation>{0} のモデルは moshi では作れません：未知の設定 {1} があります。</translation>
    </message>
    <message>
        <source>{0} has a strange value for model_type: {1}.</source>
        <translation>{0} の model_type の値 {1} は不正です。</translation>
    </message>
    <message>
        <source>It has to be a whole number from {0} to {1}.</source>
        <translation>{0} から {1} までの整数でなければなりません。</translation>
    </message>
    <message>
        <source>It has to be a number from {0} to {1}.</source>
        <translation>{0} から {1} までの数値でなければなりません。</translation>
    </message>
    <message>
        <source>It has to be a list of whole numbers from {0} to {1}.</source>
        <translation>{0} から {1} までの整数のリストでなければなりません。</translation>
    </message>
    <message>
        <source>It has to be true or false.</source>
        <translation>true か false でなければなりません。</translation>
    </message>
    <message>
        <source>It has to be true.</source>
        <translation>true でなければなりません。</translation>
    </message>
    <message>
        <source>It has to be false.</source>
        <translation>false でなければなりません。</translation>
    </message>
    <message>
        <source>It has to be a word.</source>
        <translation>単語でなければなりません。</translation>
    </message>
    <message>
        <source>It has to be a table of settings.</source>
        <translation>設定の表でなければなりません。</translation>
    </message>
    <message>
        <source>It has to name a file of the folder, or of the hub as hf://owner/name/file.</source>
        <translation>フォルダー内のファイル名、または Hub のファイル（hf://owner/name/file）でなければなりません。</translation>
    </message>
    <message>
        <source>{0} describes a model that writes down speech (STT), not one for dialogue.</source>
        <translation>{0} は音声認識 (STT) のモデルで、対話用ではありません。</translation>
    </message>
    <message>
        <source>{0} describes a model that reads text aloud (TTS), not one for dialogue.</source>
        <translation>{0} は音声合成 (TTS) のモデルで、対話用ではありません。</translation>
    </message>
    <message>
        <source>{0} describes a model that needs conditions, not one for dialogue.</source>
        <translation>{0} は条件入力を必要とするモデルで、対話用ではありません。</translation>
    </message>
    <message>
        <source>{0} does not fit its configuration: {1} is {2} in {3}, and {4} here.</source>
        <translation>{0} は設定と合いません：{1} は {3} では {2}、このファイルでは {4} です。</translation>
    </message>
    <message>
        <source>{0} does not fit its configuration: {1} is kept as {2}.</source>
        <translation>{0} は設定と合いません：{1} が {2} で保存されています。</translation>
    </message>
    <message>
        <source>{0} is a Git LFS pointer, not the file itself.</source>
        <translation>{0} は Git LFS のポインターで、ファイル本体ではありません。</translation>
    </message>
    <message>
        <source>Fetch the file itself with `git lfs pull` in its folder, or download it from the hub.</source>
        <translation>そのフォルダーで `git lfs pull` を実行して本体を取得するか、Hub からダウンロードしてください。</translation>
    </message>
    <message>
        <source>{0} is too long: it should have {1} bytes and has {2}.</source>
        <translation>{0} が長すぎます：{1} バイトのはずが {2} バイトあります。</translation>
    </message>
    <message>
        <source>{0} keeps {1} as {2}, which is not known.</source>
        <translation>{0} の {1} は未知の型 {2} で保存されています。</translation>
    </message>
    <message>
        <source>Convert it to float32, float16 or bfloat16, or choose another model.</source>
        <translation>float32、float16、bfloat16 のいずれかに変換するか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{0} does not say which file holds which tensor.</source>
        <translation>{0} には、どのファイルにどのテンソルがあるかが書かれていません。</translation>
    </message>
    <message>
        <source>{0} does not say that {1} is in {2}.</source>
        <translation>{0} には、{1} が {2} にあると書かれていません。</translation>
    </message>
    <message>
        <source>{0} is both in {1} and in {2}.</source>
        <translation>{0} が {1} と {2} の両方にあります。</translation>
    </message>
    <message>
        <source>{0} lacks {1}, which {2} names.</source>
        <translation>{2} に書かれている {1} が {0} にありません。</translation>
    </message>
    <message>
        <source>{0} has no {1}, which {2} names.</source>
        <translation>{2} に書かれている {1} が {0} にありません。</translation>
    </message>
    <message>
        <source>{0} names {1} files.</source>
        <translation>{0} に {1} 個のファイルが書かれています。</translation>
    </message>
    <message>
        <source>{0} names {1}, which is no safetensors file in its folder.</source>
        <translation>{0} に書かれている {1} は、同じフォルダー内の safetensors ファイルではありません。</translation>
    </message>
    <message>
        <source>{0} holds numbers that are not finite (NaN or infinity), in {1}.</source>
        <translation>{0} の {1} に有限でない数値（NaN または無限大）があります。</translation>
    </message>
    <message>
        <source>The file is damaged, or its training diverged: download it again, or choose another model.</source>
        <translation>ファイルが壊れているか、学習が発散しています。もう一度ダウンロードするか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{0} holds numbers too large for {1}, in {2}.</source>
        <translation>{0} の {2} に、{1} では表せない大きな数値があります。</translation>
    </message>
    <message>
        <source>Choose another model, or a graphics card that computes in bfloat16.</source>
        <translation>別のモデルか、bfloat16 で計算できる GPU を選んでください。</translation>
    </message>
    <message>
        <source>{0} is one file of a model, not its folder.</source>
        <translation>{0} はモデルのファイルの一つで、フォルダーではありません。</translation>
    </message>
    <message>
        <source>Name its folder: {0}.</source>
        <translation>フォルダーを指定してください：{0}</translation>
    </message>
    <message>
        <source>Check the name and where it lies.</source>
        <translation>名前と場所を確認してください。</translation>
    </message>
    <message>
        <source>{0} shows a revision of its own.</source>
        <translation>{0} は特定のリビジョンを指しています。</translation>
    </message>
    <message>
        <source>Name the repository as owner/name; its newest state is taken.</source>
        <translation>リポジトリを owner/name の形で指定してください。最新の状態が使われます。</translation>
    </message>
    <message>
        <source>{0} needs {1} of {2}, which is not on this computer.</source>
        <translation>{0} には {2} の {1} が必要ですが、このコンピューターにありません。</translation>
    </message>
    <message>
        <source>Download it with `aizuchi models download {0}`.</source>
        <translation>`aizuchi models download {0}` でダウンロードしてください。</translation>
    </message>
    <message>
        <source>{0} is an adapter on {1}, which is not there.</source>
        <translation>{0} は {1} に対するアダプターですが、それが見つかりません。</translation>
    </message>
    <message>
        <source>Put it back, or name the model as the base (--base).</source>
        <translation>元に戻すか、そのモデルをベースとして指定してください (--base)。</translation>
    </message>
    <message>
        <source>{0} is not the file that this version of Aizuchi knows.</source>
        <translation>{0} は、この版の Aizuchi が知っているファイルではありません。</translation>
    </message>
    <message>
        <source>Update Aizuchi: the makers of the model may have published it anew.</source>
        <translation>Aizuchi を更新してください。モデルが新しく公開し直された可能性があります。</translation>
    </message>
    <message>
        <source>The cache of {0} is damaged: {1}.</source>
        <translation>{0} のキャッシュが壊れています（{1}）。</translation>
    </message>
    <message>
        <source>Delete {0}, and try again.</source>
        <translation>{0} を削除して、もう一度お試しください。</translation>
    </message>
    <message>
        <source>With --mode {0} and --kv {1} it needs {2} GB.</source>
        <translation>--mode {0} と --kv {1} なら {2} GB で済みます。</translation>
    </message>
    <message>
        <source>Download it on the Models page, or with `aizuchi models download`.</source>
        <translation>モデルのページ、または `aizuchi models download` でダウンロードしてください。</translation>
    </message>
    <message>
        <source>{0} is not on this computer, and downloads are switched off.</source>
        <translation>{0} はこのコンピューターになく、ダウンロードは無効になっています。</translation>
    </message>
    <message>
        <source>Download it on the Models page, or run `aizuchi models download` without HF_HUB_OFFLINE.</source>
        <translation>モデルのページでダウンロードするか、HF_HUB_OFFLINE を外して `aizuchi models download` を実行してください。</translation>
    </message>
    <message>
        <source>Fetch it with `aizuchi models download {0}`.</source>
        <translation>`aizuchi models download {0}` で取得してください。</translation>
    </message>
    <message>
        <source>{0} is damaged: its SHA-256 is not the one that the hub tells.</source>
        <translation>{0} は壊れています。SHA-256 が Hub のものと一致しません。</translation>
    </message>
    <message>
        <source>Delete {0} and download it again.</source>
        <translation>{0} を削除して、ダウンロードし直してください。</translation>
    </message>
    <message>
        <source>{0} is in use: `{1}` is at work on it (process {2}).</source>
        <translation>{0} は使用中です：`{1}` が処理しています（プロセス {2}）。</translation>
    </message>
    <message>
        <source>Wait until it has ended, or end it.</source>
        <translation>終わるまで待つか、終了させてください。</translation>
    </message>
    <message>
        <source>{0} is in use: `{1}` is at work on it on {2}.</source>
        <translation>{0} は使用中です：{2} 上の `{1}` が処理しています。</translation>
    </message>
    <message>
        <source>{0} is in use: `{1}` is at work on it in another container.</source>
        <translation>{0} は使用中です：別のコンテナ内の `{1}` が処理しています。</translation>
    </message>
    <message>
        <source>Wait until it has ended there, or end it there.</source>
        <translation>そちらで終わるまで待つか、そちらで終了させてください。</translation>
    </message>
    <message>
        <source>{0} may be in use on {1}: its disk knows no locks.</source>
        <translation>{0} は {1} で使用中の可能性があります：このディスクはファイルロックに対応していません。</translation>
    </message>
    <message>
        <source>If nothing is at work on it there, delete {0}.</source>
        <translation>そちらで何も動いていない場合は、{0} を削除してください。</translation>
    </message>
    <message>
        <source>{0} is in use by another program.</source>
        <translation>{0} は別のプログラムが使用中です。</translation>
    </message>
    <message>
        <source>Wait until it has ended.</source>
        <translation>終わるまでお待ちください。</translation>
    </message>
    <message>
        <source>{0} holds no recording.</source>
        <translation>{0} に録音がありません。</translation>
    </message>
    <message>
        <source>Choose a file that Aizuchi has written.</source>
        <translation>Aizuchi が書いたファイルを選んでください。</translation>
    </message>
    <message>
        <source>{0} can not be written: {1}.</source>
        <translation>{0} に書き込めません：{1}。</translation>
    </message>
    <message>
        <source>Choose a folder that can be written and has room.</source>
        <translation>書き込みができ、空きのあるフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>{0} can not be opened as a recording: {1}.</source>
        <translation>{0} を録音として開けません: {1}。</translation>
    </message>
    <message>
        <source>Copy the file again, and check the disk.</source>
        <translation>ファイルをコピーし直し、ディスクを確認してください。</translation>
    </message>
    <message>
        <source>{0} holds {1} twice.</source>
        <translation>{0} に {1} が二つ入っています。</translation>
    </message>
    <message>
        <source>{0} holds {1} larger than that of any recording.</source>
        <translation>{0} に含まれる {1} は、録音としては大きすぎます。</translation>
    </message>
    <message>
        <source>{0} is encrypted.</source>
        <translation>{0} は暗号化されています。</translation>
    </message>
    <message>
        <source>Unpack it with its password, and pack it without one.</source>
        <translation>パスワードで展開し、パスワードなしで圧縮し直してください。</translation>
    </message>
    <message>
        <source>The disk is full: {0} can not be unpacked.</source>
        <translation>ディスクの空き容量が足りないため、{0} を展開できません。</translation>
    </message>
    <message>
        <source>Free some space, and open it again.</source>
        <translation>空き容量を増やしてから、もう一度開いてください。</translation>
    </message>
    <message>
        <source>Free some space. The recording itself is kept.</source>
        <translation>空き容量を増やしてください。録音そのものは残っています。</translation>
    </message>
    <message>
        <source>Free some space, and try again.</source>
        <translation>空き容量を増やしてから、もう一度お試しください。</translation>
    </message>
    <message>
        <source>{0} can not be written: the disk is read-only.</source>
        <translation>ディスクが読み取り専用のため、{0} に書き込めません。</translation>
    </message>
    <message>
        <source>Name a folder on another disk.</source>
        <translation>別のディスクのフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>There is no recording in {0}.</source>
        <translation>{0} に録音がありません。</translation>
    </message>
    <message>
        <source>A recording holds {0} or {1}.</source>
        <translation>録音には {0} か {1} が含まれます。</translation>
    </message>
    <message>
        <source>The recording {0} could not be exported to {1}: {2}</source>
        <translation>録音 {0} を {1} に書き出せませんでした: {2}</translation>
    </message>
    <message>
        <source>There is no training run &apos;{0}&apos;.</source>
        <translation>「{0}」という学習はありません。</translation>
    </message>
    <message>
        <source>There is no training run in {0}.</source>
        <translation>{0} に学習の記録がありません。</translation>
    </message>
    <message>
        <source>Begin one with `aizuchi train CONFIG.toml`.</source>
        <translation>`aizuchi train CONFIG.toml` で始めてください。</translation>
    </message>
    <message>
        <source>Put back a copy of the file, or begin another run.</source>
        <translation>ファイルのコピーを戻すか、新しい学習を始めてください。</translation>
    </message>
    <message>
        <source>This system has no keyring that the token could be kept in.</source>
        <translation>このシステムには、トークンを保存できるキーリングがありません。</translation>
    </message>
    <message>
        <source>Install GNOME Keyring or KWallet, or log in with `hf auth login`, which uses a file.</source>
        <translation>GNOME Keyring か KWallet をインストールするか、ファイルを使う `hf auth login` でログインしてください。</translation>
    </message>
    <message>
        <source>The log holds the details.</source>
        <translation>詳しくはログにあります。</translation>
    </message>
    <message>
        <source>No model is loaded.</source>
        <translation>モデルが読み込まれていません。</translation>
    </message>
    <message>
        <source>Choose a model first.</source>
        <translation>先にモデルを選んでください。</translation>
    </message>
    <message>
        <source>The model could not be loaded.</source>
        <translation>モデルを読み込めませんでした。</translation>
    </message>
    <message>
        <source>The talk broke off.</source>
        <translation>会話が中断しました。</translation>
    </message>
    <message>
        <source>The graphics memory ran out.</source>
        <translation>GPU メモリが足りなくなりました。</translation>
    </message>
    <message>
        <source>Close other programs that use the card, or load the model in fewer bits.</source>
        <translation>GPU を使っているほかのプログラムを閉じるか、モデルをより少ないビットで読み込んでください。</translation>
    </message>
    <message>
        <source>The graphics card failed, and Aizuchi has to be restarted to use it again.</source>
        <translation>GPU に障害が発生しました。再び使うには Aizuchi の再起動が必要です。</translation>
    </message>
    <message>
        <source>If it fails again and again, update the driver of the card or restart the computer.</source>
        <translation>何度も起きる場合は、GPU のドライバーを更新するか、コンピューターを再起動してください。</translation>
    </message>
    <message>
        <source>Aizuchi could not be restarted: {0}.</source>
        <translation>Aizuchi を再起動できませんでした: {0}。</translation>
    </message>
    <message>
        <source>Start it again yourself.</source>
        <translation>もう一度起動してください。</translation>
    </message>
    <message>
        <source>A large model takes {0} GB; HF_HOME names another disk.</source>
        <translation>大きなモデルは {0} GB です。HF_HOME で別のディスクを指定できます。</translation>
    </message>
    <message>
        <source>{0} takes no role.</source>
        <translation>{0}には役割を指定できません。</translation>
    </message>
    <message>
        <source>Leave the role out, or choose a model that takes one.</source>
        <translation>役割を空にするか、役割を指定できるモデルを選んでください。</translation>
    </message>
    <message>
        <source>{0} has one voice, and takes no other.</source>
        <translation>{0}の声は1種類で、変更できません。</translation>
    </message>
    <message>
        <source>Leave the voice out, or choose a model that takes one.</source>
        <translation>声の指定を外すか、声を選べるモデルを選んでください。</translation>
    </message>
    <message>
        <source>{0} has no voice called &apos;{1}&apos;.</source>
        <translation>{0}に「{1}」という声はありません。</translation>
    </message>
    <message>
        <source>{0} may be used only with the consent of the person whose voice it is.</source>
        <translation>{0}の声は、その声の本人が同意している場合にのみ使えます。</translation>
    </message>
    <message>
        <source>Ask that person, and confirm it where the voice is chosen.</source>
        <translation>本人に確認し、声を選ぶ画面で同意を示してください。</translation>
    </message>
    <message>
        <source>There is no sound file {0}.</source>
        <translation>音声ファイル{0}がありません。</translation>
    </message>
    <message>
        <source>The role has {0} characters, and {1} are the most.</source>
        <translation>役割が {0} 文字あります。上限は {1} 文字です。</translation>
    </message>
    <message>
        <source>Make it shorter: a model remembers only so much.</source>
        <translation>短くしてください。モデルが覚えていられる長さには限りがあります。</translation>
    </message>
    <message>
        <source>{0} is no WAV or FLAC file.</source>
        <translation>{0} は WAV でも FLAC でもありません。</translation>
    </message>
    <message>
        <source>Save the voice as one of the two.</source>
        <translation>声を WAV か FLAC で保存してください。</translation>
    </message>
    <message>
        <source>{0} is {1} s long, and a voice has to be {2} to {3} s.</source>
        <translation>{0} は {1} 秒です。声の録音は {2}～{3} 秒にしてください。</translation>
    </message>
    <message>
        <source>Choose a few seconds in which one person speaks.</source>
        <translation>一人だけが話している数秒の録音を選んでください。</translation>
    </message>
    <message>
        <source>Add --voice-consent if it is your own voice, or that person agrees.</source>
        <translation>自分の声か、本人が同意している場合は、--voice-consent を付けてください。</translation>
    </message>
    <message>
        <source>The voice in {0} is not used.</source>
        <translation>{0} の声は使われません。</translation>
    </message>
    <message>
        <source>It is used only with the consent of that person.</source>
        <translation>声の本人が同意した場合にだけ使われます。</translation>
    </message>
    <message>
        <source>{0} is no text in UTF-8.</source>
        <translation>{0} は UTF-8 のテキストではありません。</translation>
    </message>
    <message>
        <source>Save the role as plain text.</source>
        <translation>役割をプレーンテキストで保存してください。</translation>
    </message>
    <message>
        <source>The role {0} can not be read: {1}.</source>
        <translation>役割のファイル {0} を読み込めません: {1}。</translation>
    </message>
    <message>
        <source>Check the name.</source>
        <translation>名前を確かめてください。</translation>
    </message>
    <message>
        <source>The sound file {0} can not be read: {1}.</source>
        <translation>音声ファイル {0} を読み込めません: {1}。</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>別のものを選んでください。</translation>
    </message>
    <message>
        <source>The setting “{0}” is too long: {1}.</source>
        <translation>設定「{0}」が長すぎます: {1}。</translation>
    </message>
    <message>
        <source>Choose a WAV or FLAC file of {0} to {1} s in which one person speaks.</source>
        <translation>1人が話している{0}～{1}秒のWAVまたはFLACファイルを選んでください。</translation>
    </message>
    <message>
        <source>Leave {0} out: it is put before and after the role.</source>
        <translation>{0}は役割の前後に自動で付くので、取り除いてください。</translation>
    </message>
    <message>
        <source>Make the role or the voice shorter, or choose a longer context.</source>
        <translation>役割または声を短くするか、コンテキストを長くしてください。</translation>
    </message>
    <message>
        <source>The prompt is too long: it may take half of the {0} s that the model remembers.</source>
        <translation>プロンプトが長すぎます。使えるのは、モデルが覚えている{0}秒の半分までです。</translation>
    </message>
    <message>
        <source>The role holds characters that the model can not read: {0}.</source>
        <translation>役割に、モデルが読めない文字があります: {0}</translation>
    </message>
    <message>
        <source>The role holds {0} in its midst, where it would end.</source>
        <translation>役割の途中に{0}があり、そこで終わってしまいます。</translation>
    </message>
    <message>
        <source>The voice in {0} is shorter than {1} s.</source>
        <translation>{0}の声は{1}秒より短いです。</translation>
    </message>
    <message>
        <source>The voice in {0} is longer than {1} s.</source>
        <translation>{0}の声は{1}秒より長いです。</translation>
    </message>
    <message>
        <source>The voice {0} of {1} can not be read: {2}.</source>
        <translation>{1}の声{0}を読めません: {2}</translation>
    </message>
    <message>
        <source>The voice {0} of {1} is damaged, or belongs to another model.</source>
        <translation>{1}の声{0}は壊れているか、別のモデルのものです。</translation>
    </message>
    <message>
        <source>There is no voice in {0}: it is silent.</source>
        <translation>{0}は無音で、声が入っていません。</translation>
    </message>
    <message>
        <source>Write it in the language of the model.</source>
        <translation>モデルの言語で書いてください。</translation>
    </message>
    <message>
        <source>{0} is no archive of voices, or it is damaged.</source>
        <translation>{0}は声のアーカイブではないか、壊れています。</translation>
    </message>
    <message>
        <source>{0} is no sound that can be read.</source>
        <translation>{0}は読み取れる音声ではありません。</translation>
    </message>
    <message>
        <source>{0} says nothing, and {1} is not a Moshi 7B.</source>
        <translation>{0}は空で、{1}はMoshi 7Bではありません。</translation>
    </message>
    <message>
        <source>Accept its licence at {0}; the token under Settings needs the right to read such files.</source>
        <translation>{0}でライセンスに同意してください。設定のトークンには、そのようなファイルを読む権限が必要です。</translation>
    </message>
    <message>
        <source>The hub refuses {0} with this token.</source>
        <translation>Hubは、このトークンでの{0}の取得を拒否しました。</translation>
    </message>
    <message>
        <source>checked on this card: right</source>
        <translation>この GPU で検査済み: 正常</translation>
    </message>
    <message>
        <source>checked on this card: right, {0} ms of {1}</source>
        <translation>この GPU で検査済み: 正常、{1} ms 中 {0} ms</translation>
    </message>
    <message>
        <source>checked on this card: wrong, {0}</source>
        <translation>この GPU で検査済み: 異常（{0}）</translation>
    </message>
    <message>
        <source>not checked on this card: {0}</source>
        <translation>この GPU では未検査: {0}</translation>
    </message>
    <message>
        <source>The check needs {0} GB of memory, and {1} GB are free.</source>
        <translation>検査には {0} GB のメモリが必要ですが、空きは {1} GB です。</translation>
    </message>
    <message>
        <source>{0} could not be checked: {1}.</source>
        <translation>{0} を検査できませんでした: {1}。</translation>
    </message>
    <message>
        <source>echo has no weights: it only gives back what it hears.</source>
        <translation>echo には重みがありません。聞いた音をそのまま返すだけです。</translation>
    </message>
    <message>
        <source>Name another model.</source>
        <translation>別のモデルを指定してください。</translation>
    </message>
    <message>
        <source>{0} runs with moshi&apos;s own engine, since a check of this card failed: {1}.</source>
        <translation>この GPU の検査に失敗したため、{0} は moshi 本来のエンジンで動作します: {1}。</translation>
    </message>
    <message>
        <source>{0} runs with the fast engine although a check of this card failed: {1}.</source>
        <translation>この GPU の検査に失敗しましたが、{0} は高速エンジンで動作します: {1}。</translation>
    </message>
    <message>
        <source>{0} runs without CUDA graphs of Mimi, since a check of this card failed: {1}.</source>
        <translation>この GPU の検査に失敗したため、{0} は Mimi の CUDA グラフを使わずに動作します: {1}。</translation>
    </message>
    <message>
        <source>{0} runs without a CUDA graph of the frame, since a check of this card failed: {1}.</source>
        <translation>この GPU の検査に失敗したため、{0} はフレームの CUDA グラフを使わずに動作します: {1}。</translation>
    </message>
    <message>
        <source>{0} can not run in {1}, since a check of this card failed: {2}.</source>
        <translation>この GPU の検査に失敗したため、{0} は {1} では動作できません: {2}。</translation>
    </message>
    <message>
        <source>Choose --mode bf16 with --engine moshi, or --device cpu.</source>
        <translation>--mode bf16 と --engine moshi、または --device cpu を選んでください。</translation>
    </message>
    <message>
        <source>Update the driver and Aizuchi, then run `aizuchi doctor --check {0}` again.</source>
        <translation>ドライバーと Aizuchi を更新してから、もう一度 `aizuchi doctor --check {0}` を実行してください。</translation>
    </message>
    <message>
        <source>the kernel “{0}” is off by {1} %, and {2} % are allowed</source>
        <translation>カーネル「{0}」の誤差が {1} %（許容 {2} %）</translation>
    </message>
    <message>
        <source>the logits differ from those of moshi&apos;s own step by {0} %</source>
        <translation>ロジットが moshi 本来のものと {0} % 異なる</translation>
    </message>
    <message>
        <source>the tokens are those of moshi&apos;s own step for {0} frames only</source>
        <translation>トークンが moshi 本来のものと一致するのは {0} フレームまで</translation>
    </message>
    <message>
        <source>a frame replayed as a CUDA graph says something else in {0} of {1} frames</source>
        <translation>CUDA グラフで再生すると {1} フレーム中 {0} フレームで結果が異なる</translation>
    </message>
    <message>
        <source>Mimi in CUDA graphs hears {0} % of the codes and says {1} % else</source>
        <translation>CUDA グラフの Mimi は符号の {0} % しか正しく聞き取れず、音声は {1} % 異なる</translation>
    </message>
    <message>
        <source>the test gave no answer within {0} s</source>
        <translation>検査が {0} 秒以内に応答しなかった</translation>
    </message>
    <message>
        <source>the test was ended by {0}</source>
        <translation>検査が {0} で終了した</translation>
    </message>
    <message>
        <source>the test ended with status {0}</source>
        <translation>検査が状態 {0} で終了した</translation>
    </message>
    <message>
        <source>the test ended with status {0}: {1}</source>
        <translation>検査が状態 {0} で終了した: {1}</translation>
    </message>
    <message>
        <source>the test could not be started: {0}</source>
        <translation>検査を開始できなかった: {0}</translation>
    </message>
    <message>
        <source>the memory ran out</source>
        <translation>メモリが不足した</translation>
    </message>
    <message>
        <source>The file {0} is gone.</source>
        <translation>ファイル {0} がなくなっています。</translation>
    </message>
    <message>
        <source>Download the model again, or choose another one.</source>
        <translation>モデルをダウンロードし直すか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>Code for the graphics card could not be compiled.</source>
        <translation>GPU 用のコードをコンパイルできませんでした。</translation>
    </message>
    <message>
        <source>Install a C compiler (`sudo apt-get install gcc python3-dev`), or start with --engine moshi.</source>
        <translation>C コンパイラーをインストールするか（`sudo apt-get install gcc python3-dev`）、--engine moshi で起動してください。</translation>
    </message>
    <message>
        <source>The talk is not recorded: {0}.</source>
        <translation>会話は録音されません: {0}。</translation>
    </message>
    <message>
        <source>The disk took nothing for {0} seconds; the recording ended.</source>
        <translation>ディスクが {0} 秒間書き込めなかったため、録音を終了しました。</translation>
    </message>
    <message>
        <source>Check the disk.</source>
        <translation>ディスクを確認してください。</translation>
    </message>
    <message>
        <source>The computer was asleep, so the recording ended.</source>
        <translation>コンピューターがスリープしたため、録音を終了しました。</translation>
    </message>
    <message>
        <source>There was no sound for more than a minute, so the recording ended.</source>
        <translation>1 分以上音声が届かなかったため、録音を終了しました。</translation>
    </message>
    <message>
        <source>A new recording starts as soon as the talk goes on.</source>
        <translation>会話が再開すると、新しい録音が始まります。</translation>
    </message>
    <message>
        <source>The recording reached {0} hours and ended.</source>
        <translation>録音が {0} 時間に達したため終了しました。</translation>
    </message>
    <message>
        <source>Switch recording off and on again to begin a new one.</source>
        <translation>録音をいったん切って入れ直すと、新しい録音が始まります。</translation>
    </message>
    <message>
        <source>The disk is full; the recording ended after {0}.</source>
        <translation>ディスクがいっぱいです。録音は {0} で終了しました。</translation>
    </message>
    <message>
        <source>Free some space. What was recorded until then is kept.</source>
        <translation>空きを作ってください。それまでの録音は残っています。</translation>
    </message>
    <message>
        <source>The recording ended after {0}, since the disk refused it: {1}.</source>
        <translation>ディスクに書き込めないため、録音は {0} で終了しました: {1}。</translation>
    </message>
    <message>
        <source>Check the disk. What was recorded until then is kept.</source>
        <translation>ディスクを確認してください。それまでの録音は残っています。</translation>
    </message>
    <message>
        <source>The settings file is of version {0}, which this Aizuchi does not know.</source>
        <translation>設定ファイルのバージョン {0} を、この Aizuchi は知りません。</translation>
    </message>
    <message>
        <source>The setting “{0}” must be one of {1}, not {2}.</source>
        <translation>設定「{0}」は {2} ではなく {1} のどれかでなければなりません。</translation>
    </message>
    <message>
        <source>The setting “{0}” must be {1}, not {2}.</source>
        <translation>設定「{0}」は {2} ではなく {1} でなければなりません。</translation>
    </message>
    <message>
        <source>The settings could not be read: {0}.</source>
        <translation>設定を読めませんでした: {0}。</translation>
    </message>
    <message>
        <source>The settings file is damaged: {0}.</source>
        <translation>設定ファイルが壊れています: {0}。</translation>
    </message>
    <message>
        <source>Defaults are used this time.</source>
        <translation>今回は既定値を使います。</translation>
    </message>
    <message>
        <source>Defaults are used; the file {0}.</source>
        <translation>既定値を使います。ファイルは {0}。</translation>
    </message>
    <message>
        <source>The settings could not be saved: {0}.</source>
        <translation>設定を保存できませんでした: {0}。</translation>
    </message>
    <message>
        <source>Check the folder and its disk; the settings hold until the program ends.</source>
        <translation>フォルダーとディスクを確認してください。設定はプログラムを終了するまで有効です。</translation>
    </message>
    <message>
        <source>There is no setting “{0}”.</source>
        <translation>「{0}」という設定はありません。</translation>
    </message>
    <message>
        <source>It is left out.</source>
        <translation>無視します。</translation>
    </message>
    <message>
        <source>The setting “{0}” must be between {1} and {2}, not {3}.</source>
        <translation>設定「{0}」は {3} ではなく {1} から {2} の間でなければなりません。</translation>
    </message>
    <message>
        <source>The setting “{0}” must be text in one line, not {1}.</source>
        <translation>設定「{0}」は 1 行の文字列でなければなりません（{1} は使えません）。</translation>
    </message>
    <message>
        <source>Its default is used.</source>
        <translation>既定値を使います。</translation>
    </message>
    <message>
        <source>The recording could not be played: {0}.</source>
        <translation>録音を再生できませんでした: {0}。</translation>
    </message>
    <message>
        <source>Check that a speaker is connected and chosen in the sound settings of the system.</source>
        <translation>スピーカーがつながれ、システムのサウンド設定で選ばれているか確認してください。</translation>
    </message>
    <message>
        <source>The file may be damaged or may have been moved; the transcript can still be exported.</source>
        <translation>ファイルが壊れているか、移動された可能性があります。文字起こしは書き出せます。</translation>
    </message>
    <message>
        <source>Check the folder for recordings and its disk.</source>
        <translation>録音のフォルダーとそのディスクを確認してください。</translation>
    </message>
    <message>
        <source>It has to hold [{&quot;speaker&quot;: &quot;A&quot; or &quot;B&quot;, &quot;word&quot;, &quot;start&quot;, &quot;end&quot;}, …], times in seconds.</source>
        <translation>[{&quot;speaker&quot;: &quot;A&quot; か &quot;B&quot;, &quot;word&quot;, &quot;start&quot;, &quot;end&quot;}, …] が必要です。時刻は秒です。</translation>
    </message>
    <message>
        <source>Use a Mimi of {0} Hz and {1} frames a second.</source>
        <translation>{0} Hz、毎秒 {1} フレームの Mimi を使ってください。</translation>
    </message>
    <message>
        <source>Download its files into a folder together with a {0}, and choose the folder.</source>
        <translation>ファイルを {0} と一緒にフォルダーにダウンロードし、そのフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>{0} does not say {1}; that of {2} (English) is assumed.</source>
        <translation>{0} に {1} の指定がないので、{2}（英語）のものとみなします。</translation>
    </message>
    <message>
        <source>Name the full model that it was trained on as the base.</source>
        <translation>学習元のモデル全体をベースとして指定してください。</translation>
    </message>
    <message>
        <source>Look at the files of the repository: it may be of another kind.</source>
        <translation>リポジトリのファイルを確認してください。別の種類かもしれません。</translation>
    </message>
    <message>
        <source>Choose a Moshi for dialogue, for example one of `aizuchi models list`.</source>
        <translation>対話用の Moshi を選んでください。たとえば `aizuchi models list` にあるものです。</translation>
    </message>
    <message>
        <source>A model&apos;s folder holds at least {0} and {1}.</source>
        <translation>モデルのフォルダーには少なくとも {0} と {1} が必要です。</translation>
    </message>
    <message>
        <source>Put the {0} that belongs to it into the folder.</source>
        <translation>対応する {0} をフォルダーに入れてください。</translation>
    </message>
    <message>
        <source>The {0} beside it needs lora, lora_rank and lora_scaling.</source>
        <translation>隣の {0} には lora、lora_rank、lora_scaling が必要です。</translation>
    </message>
    <message>
        <source>There are {0}.</source>
        <translation>あるのは {0} です。</translation>
    </message>
    <message>
        <source>Run packaging/talk again, or `aizuchi --repair` if it was installed as a package.</source>
        <translation>packaging/talk をもう一度実行してください。パッケージで入れたなら `aizuchi --repair` です。</translation>
    </message>
    <message>
        <source>Use Python 3.10 to 3.13; `uv sync` in the clone fetches one.</source>
        <translation>Python 3.10 から 3.13 を使ってください。クローンで `uv sync` を実行すると取得できます。</translation>
    </message>
    <message>
        <source>Run packaging/talk, or `uv sync` in the clone.</source>
        <translation>packaging/talk か、クローンで `uv sync` を実行してください。</translation>
    </message>
    <message>
        <source>A card before Ampere (RTX 30, A100) has no bfloat16; models run in float16 there.</source>
        <translation>Ampere（RTX 30、A100）より前の GPU には bfloat16 がないので、モデルは float16 で動きます。</translation>
    </message>
    <message>
        <source>Models run on the processor instead; for the card install a PyTorch that was built for it.</source>
        <translation>モデルは代わりに CPU で動きます。この GPU を使うには、対応する PyTorch をインストールしてください。</translation>
    </message>
    <message>
        <source>Close what else uses the card; the smallest known model needs {0} GB.</source>
        <translation>GPU を使っているほかのものを閉じてください。既知の最も小さいモデルには {0} GB 必要です。</translation>
    </message>
    <message>
        <source>Loading a model of 15 GB takes longer with less than 16 GB; close other programs.</source>
        <translation>メモリが 16 GB より少ないと、15 GB のモデルの読み込みに時間がかかります。ほかのプログラムを閉じてください。</translation>
    </message>
    <message>
        <source>On a graphics card the first talk compiles some code: `sudo apt-get install gcc python3-dev`.</source>
        <translation>GPU では最初の会話でコードをコンパイルします: `sudo apt-get install gcc python3-dev`。</translation>
    </message>
    <message>
        <source>`sudo apt-get install libportaudio2 libasound2-plugins`, or run packaging/talk.</source>
        <translation>`sudo apt-get install libportaudio2 libasound2-plugins` か、packaging/talk を実行してください。</translation>
    </message>
    <message>
        <source>`sudo apt-get install pulseaudio-utils`, or monitors of speakers may pass as microphones.</source>
        <translation>`sudo apt-get install pulseaudio-utils` を実行してください。そうしないと、スピーカーのモニターがマイクと見なされることがあります。</translation>
    </message>
    <message>
        <source>Choose a microphone in the system&apos;s sound settings, or name one with --microphone.</source>
        <translation>システムのサウンド設定でマイクを選ぶか、--microphone で指定してください。</translation>
    </message>
    <message>
        <source>Plug one in or choose one in the system&apos;s sound settings; a headless talk needs none.</source>
        <translation>つなぐか、システムのサウンド設定で選んでください。画面なしの会話には不要です。</translation>
    </message>
    <message>
        <source>Without a display, `aizuchi talk` is headless; libraries that are missing come with packaging/talk.</source>
        <translation>画面がないとき `aizuchi talk` は画面なしで動きます。足りないライブラリは packaging/talk が入れます。</translation>
    </message>
    <message>
        <source>Make room, or talk with --no-record.</source>
        <translation>空きを作るか、--no-record で会話してください。</translation>
    </message>
    <message>
        <source>Install Aizuchi again: `starter` comes with it.</source>
        <translation>Aizuchi をインストールし直してください。`starter` が付属しています。</translation>
    </message>
    <message>
        <source>A model that the fast engine does not cover runs with moshi&apos;s own, in whole weights.</source>
        <translation>高速エンジンが対応しないモデルは、moshi 自身のエンジンで、元の重みのまま動きます。</translation>
    </message>
    <message>
        <source>Install the driver for your card.</source>
        <translation>GPU のドライバーをインストールしてください。</translation>
    </message>
    <message>
        <source>The driver is older than CUDA {0} wants; update it.</source>
        <translation>ドライバーが CUDA {0} には古すぎます。更新してください。</translation>
    </message>
    <message>
        <source>Install PyTorch for CUDA.</source>
        <translation>CUDA 用の PyTorch をインストールしてください。</translation>
    </message>
    <message>
        <source>The large models need an NVIDIA card with 8 GB or more; `starter` runs on the processor.</source>
        <translation>大きいモデルには 8 GB 以上の NVIDIA の GPU が必要です。`starter` は CPU で動きます。</translation>
    </message>
    <message>
        <source>`sudo apt-get install fonts-noto-cjk`, or Japanese words show as boxes.</source>
        <translation>`sudo apt-get install fonts-noto-cjk` を実行してください。しないと日本語が四角で表示されます。</translation>
    </message>
    <message>
        <source>There is no text placement &apos;{0}&apos;.</source>
        <translation>「{0}」というテキストの置き方はありません。</translation>
    </message>
    <message>
        <source>{0} can not be read: it {1}.</source>
        <translation>{0} を読み込めません: {1}。</translation>
    </message>
    <message>
        <source>{0} does not hold words with times: word {1} is {2}.</source>
        <translation>{0} に時刻付きの単語がありません: {1} 番目は {2} です。</translation>
    </message>
    <message>
        <source>{0} does not hold words with times: word {1} is the word &apos;{2}&apos; without a speaker or times.</source>
        <translation>{0} に時刻付きの単語がありません: {1} 番目の「{2}」に話者か時刻がありません。</translation>
    </message>
    <message>
        <source>Choose &apos;nu-dialogue&apos; or &apos;kyutai&apos;.</source>
        <translation>nu-dialogue か kyutai を選んでください。</translation>
    </message>
    <message>
        <source>Text stands in frame {0} of a talk with {1} frames.</source>
        <translation>{1} フレームの会話なのに、フレーム {0} にテキストがあります。</translation>
    </message>
    <message>
        <source>Frame {0} has the token {1}, which is no text.</source>
        <translation>フレーム {0} のトークン {1} はテキストではありません。</translation>
    </message>
    <message>
        <source>Frame {0} has more than one text token.</source>
        <translation>フレーム {0} にテキストのトークンが二つ以上あります。</translation>
    </message>
    <message>
        <source>The recording&apos;s events are damaged: leave it out.</source>
        <translation>録音のイベントが壊れています。この録音は除いてください。</translation>
    </message>
    <message>
        <source>Correct its times in the transcript, which are in seconds.</source>
        <translation>文字起こしの時刻（秒）を直してください。</translation>
    </message>
    <message>
        <source>The word &apos;{0}&apos; has no times.</source>
        <translation>言葉「{0}」に時刻がありません。</translation>
    </message>
    <message>
        <source>The word &apos;{0}&apos; begins at {1} s, before the audio.</source>
        <translation>言葉「{0}」の始まり {1} 秒が音声より前にあります。</translation>
    </message>
    <message>
        <source>The word &apos;{0}&apos; ends at {1} s, before it begins at {2} s.</source>
        <translation>言葉「{0}」の終わり {1} 秒が始まり {2} 秒より前にあります。</translation>
    </message>
    <message>
        <source>The word &apos;{0}&apos; begins at {1} s, after the audio of {2} s.</source>
        <translation>言葉「{0}」の始まり {1} 秒が、{2} 秒の音声より後にあります。</translation>
    </message>
    <message>
        <source>It was left out.</source>
        <translation>除きました。</translation>
    </message>
    <message>
        <source>They were left out.</source>
        <translation>除きました。</translation>
    </message>
    <message>
        <source>Left out.</source>
        <translation>除きました。</translation>
    </message>
    <message>
        <source>It is mono, so that one voice is missing or both are mixed.</source>
        <translation>モノラルなので、片方の声がないか、両方が混ざっています。</translation>
    </message>
    <message>
        <source>It has {0} channels, not one for each of two voices.</source>
        <translation>チャンネルが {0} 個あり、二つの声に一つずつではありません。</translation>
    </message>
    <message>
        <source>It has {0} samples a second, with nothing above {1} kHz.</source>
        <translation>サンプリング周波数は {0} Hz で、{1} kHz より上の音がありません。</translation>
    </message>
    <message>
        <source>It has {0} samples a second.</source>
        <translation>サンプリング周波数は {0} Hz です。</translation>
    </message>
    <message>
        <source>It was resampled to {0}.</source>
        <translation>{0} Hz に変換しました。</translation>
    </message>
    <message>
        <source>It is {0} s long, less than a frame.</source>
        <translation>長さは {0} 秒で、1 フレームに足りません。</translation>
    </message>
    <message>
        <source>Both channels are silent.</source>
        <translation>どちらのチャンネルも無音です。</translation>
    </message>
    <message>
        <source>Both channels are the same, so that the voices are mixed.</source>
        <translation>両方のチャンネルが同じなので、声が混ざっています。</translation>
    </message>
    <message>
        <source>Both channels are the same, as when the model is an echo.</source>
        <translation>モデルがエコーのときのように、両方のチャンネルが同じです。</translation>
    </message>
    <message>
        <source>It was kept.</source>
        <translation>そのまま残しました。</translation>
    </message>
    <message>
        <source>The dialogue was kept without words.</source>
        <translation>対話は言葉なしで残しました。</translation>
    </message>
    <message>
        <source>Correct the file, or transcribe the dialogue.</source>
        <translation>ファイルを修正するか、対話を文字起こししてください。</translation>
    </message>
    <message>
        <source>Word {0} is {1}, not text.</source>
        <translation>{0} 番目の単語は {1} で、テキストではありません。</translation>
    </message>
    <message>
        <source>{0} words are not text; the first is word {1}, which is {2}.</source>
        <translation>{0} 個の単語がテキストではありません。最初は {1} 番目の単語で、{2} です。</translation>
    </message>
    <message>
        <source>The word &apos;{0}&apos; (word {1}) has no speaker.</source>
        <translation>単語「{0}」({1} 番目) に話者がありません。</translation>
    </message>
    <message>
        <source>{0} words have no speaker; the first is &apos;{1}&apos; (word {2}).</source>
        <translation>{0} 個の単語に話者がありません。最初は「{1}」({2} 番目) です。</translation>
    </message>
    <message>
        <source>The word &apos;{0}&apos; (word {1}) has no times.</source>
        <translation>単語「{0}」({1} 番目) に時刻がありません。</translation>
    </message>
    <message>
        <source>{0} words have no times; the first is &apos;{1}&apos; (word {2}).</source>
        <translation>{0} 個の単語に時刻がありません。最初は「{1}」({2} 番目) です。</translation>
    </message>
    <message>
        <source>It takes the gap between its neighbours.</source>
        <translation>前後の単語の間に置きました。</translation>
    </message>
    <message>
        <source>They take the gaps between their neighbours.</source>
        <translation>それぞれ前後の単語の間に置きました。</translation>
    </message>
    <message>
        <source>The words of each voice are heard on the channel of the other.</source>
        <translation>それぞれの声の言葉が、もう一方のチャンネルから聞こえます。</translation>
    </message>
    <message>
        <source>They stay so, since --swap asked for it.</source>
        <translation>--swap の指定どおり、そのままにします。</translation>
    </message>
    <message>
        <source>The channels were exchanged.</source>
        <translation>チャンネルを入れ替えました。</translation>
    </message>
    <message>
        <source>{0} says {1} s, the sound has {2} s.</source>
        <translation>{0} では {1} 秒ですが、音声は {2} 秒です。</translation>
    </message>
    <message>
        <source>The sound counts.</source>
        <translation>音声のほうに従います。</translation>
    </message>
    <message>
        <source>{0} s of the user were lost in the talk.</source>
        <translation>会話中に利用者の声が {0} 秒失われました。</translation>
    </message>
    <message>
        <source>It was kept: the model heard it so.</source>
        <translation>モデルはそう聞いたので、そのまま残しました。</translation>
    </message>
    <message>
        <source>There are no words of {0}.</source>
        <translation>{0} の言葉がありません。</translation>
    </message>
    <message>
        <source>They can be transcribed.</source>
        <translation>文字起こしで補えます。</translation>
    </message>
    <message>
        <source>The text stays empty.</source>
        <translation>テキストは空のままです。</translation>
    </message>
    <message>
        <source>It was cut into {0} dialogues.</source>
        <translation>対話 {0} 件に分けました。</translation>
    </message>
    <message>
        <source>It is {0} long, more than {1}.</source>
        <translation>長さは {0} で、{1} を超えています。</translation>
    </message>
    <message>
        <source>The model forgot the talk once.</source>
        <translation>モデルは会話を一度忘れました。</translation>
    </message>
    <message>
        <source>The model forgot the talk {0} times.</source>
        <translation>モデルは会話を {0} 回忘れました。</translation>
    </message>
    <message>
        <source>Nothing was recorded for {0} s of it in all.</source>
        <translation>合計 {0} 秒間は録音されていません。</translation>
    </message>
    <message>
        <source>Gaps were left out: {0} stretches are learnt from.</source>
        <translation>欠落部分を除き、{0} 個の区間を学習に使います。</translation>
    </message>
    <message>
        <source>It has gaps, and no stretch of {0} s without one.</source>
        <translation>欠落があり、{0} 秒以上途切れのない区間がありません。</translation>
    </message>
    <message>
        <source>There is another dialogue {0}.</source>
        <translation>{0} という対話がほかにあります。</translation>
    </message>
    <message>
        <source>This is {0}.</source>
        <translation>こちらは {0} とします。</translation>
    </message>
    <message>
        <source>See whether it plays to its end; what is no WAV, FLAC, Ogg or MP3 has to be converted.</source>
        <translation>最後まで再生できるか確認してください。WAV、FLAC、Ogg、MP3 以外は変換が必要です。</translation>
    </message>
    <message>
        <source>{0} can not be read as sound: {1}.</source>
        <translation>{0} を音声として読めません: {1}。</translation>
    </message>
    <message>
        <source>Convert it, for example by `ffmpeg -i &apos;{0}&apos; &apos;{1}.wav&apos;`, and import that.</source>
        <translation>たとえば `ffmpeg -i &apos;{0}&apos; &apos;{1}.wav&apos;` で変換し、それを取り込んでください。</translation>
    </message>
    <message>
        <source>{0} says that it has {1} samples a second.</source>
        <translation>{0} のサンプリング周波数が {1} Hz になっています。</translation>
    </message>
    <message>
        <source>{0} breaks off after {1} s.</source>
        <translation>{0} は {1} 秒で途切れています。</translation>
    </message>
    <message>
        <source>Copy it again from where it came from.</source>
        <translation>元の場所からコピーし直してください。</translation>
    </message>
    <message>
        <source>It can be trained on as it is.</source>
        <translation>このまま学習に使えます。</translation>
    </message>
    <message>
        <source>It can be trained on as it is; `data check --model NAME` counts its bare spaces.</source>
        <translation>このまま学習に使えます。`data check --model NAME` で空白だけのトークンを数えられます。</translation>
    </message>
    <message>
        <source>Tokenize its words again with nu-dialogue&apos;s `--no_whitespace_before_word`, and import that.</source>
        <translation>nu-dialogue の `--no_whitespace_before_word` で言葉をトークンにし直し、それを取り込んでください。</translation>
    </message>
    <message>
        <source>{0} holds tokens alone: who speaks when, and which words, is not known.</source>
        <translation>{0} にはトークンしかないので、誰がいつ何を話したかは分かりません。</translation>
    </message>
    <message>
        <source>Run `aizuchi data prepare {0}`.</source>
        <translation>`aizuchi data prepare {0}` を実行してください。</translation>
    </message>
    <message>
        <source>{0} is not prepared yet.</source>
        <translation>{0} はまだ準備されていません。</translation>
    </message>
    <message>
        <source>Words or sound have changed since the dataset was prepared.</source>
        <translation>データセットを準備した後で、言葉か音声が変わっています。</translation>
    </message>
    <message>
        <source>Run `aizuchi data prepare {0} --no-whitespace-before-word`.</source>
        <translation>`aizuchi data prepare {0} --no-whitespace-before-word` を実行してください。</translation>
    </message>
    <message>
        <source>{0} % of the text tokens of {1} in {2} are bare spaces.</source>
        <translation>{2} の {1} のテキストトークンのうち {0} % が空白だけです。</translation>
    </message>
    <message>
        <source>It was left out when the dataset was prepared.</source>
        <translation>データセットの準備のときに除かれました。</translation>
    </message>
    <message>
        <source>Training uses it once: take one of both out of the dataset.</source>
        <translation>学習では一度だけ使います。どちらかをデータセットから外してください。</translation>
    </message>
    <message>
        <source>Mend it and prepare again.</source>
        <translation>直してから、もう一度準備してください。</translation>
    </message>
    <message>
        <source>Import the dialogue again, or take it out of the dataset.</source>
        <translation>対話を取り込み直すか、データセットから外してください。</translation>
    </message>
    <message>
        <source>Close other programs that use it, or encode with --device cpu.</source>
        <translation>使っているほかのプログラムを閉じるか、--device cpu で符号化してください。</translation>
    </message>
    <message>
        <source>The memory of the graphics card ran out while encoding.</source>
        <translation>符号化の途中で GPU メモリが足りなくなりました。</translation>
    </message>
    <message>
        <source>{0} can not be read as sound.</source>
        <translation>{0} を音声として読めません。</translation>
    </message>
    <message>
        <source>{0} has {1} channels at {2} Hz, not 2 at {3}.</source>
        <translation>{0} は {2} Hz、{1} チャンネルです。{3} Hz、2 チャンネルでなければなりません。</translation>
    </message>
    <message>
        <source>{0} is empty.</source>
        <translation>{0} は空です。</translation>
    </message>
    <message>
        <source>{0} breaks off {1} s before its end.</source>
        <translation>{0} は終わりの {1} 秒前で途切れています。</translation>
    </message>
    <message>
        <source>What was prepared before is kept.</source>
        <translation>それまでに準備したものは残っています。</translation>
    </message>
    <message>
        <source>See whether the folder can be written.</source>
        <translation>フォルダーに書き込めるか確認してください。</translation>
    </message>
    <message>
        <source>Make room, and go on.</source>
        <translation>空きを作って、続けてください。</translation>
    </message>
    <message>
        <source>Make room.</source>
        <translation>空きを作ってください。</translation>
    </message>
    <message>
        <source>The disk is full: {0} can not be written.</source>
        <translation>ディスクがいっぱいで、{0} を書き込めません。</translation>
    </message>
    <message>
        <source>{0} is there already.</source>
        <translation>{0} はすでにあります。</translation>
    </message>
    <message>
        <source>Name a new folder.</source>
        <translation>新しいフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>The dataset {0} holds tokens alone, and Kyutai&apos;s data is sound.</source>
        <translation>データセット {0} にはトークンしかなく、Kyutai の形式は音声です。</translation>
    </message>
    <message>
        <source>The dataset {0} holds no dialogues.</source>
        <translation>データセット {0} に対話がありません。</translation>
    </message>
    <message>
        <source>Import dialogues with sound first.</source>
        <translation>先に音声付きの対話を取り込んでください。</translation>
    </message>
    <message>
        <source>Make room, or name another folder.</source>
        <translation>空きを作るか、別のフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>What is wrong with them is said above.</source>
        <translation>問題は上に書かれています。</translation>
    </message>
    <message>
        <source>What is wrong with it is said above.</source>
        <translation>問題は上に書かれています。</translation>
    </message>
    <message>
        <source>None of the dialogues could be written.</source>
        <translation>対話を一つも書き込めませんでした。</translation>
    </message>
    <message>
        <source>The tokens are those of before.</source>
        <translation>トークンは以前のものです。</translation>
    </message>
    <message>
        <source>&apos;{0}&apos; is no code of a language.</source>
        <translation>「{0}」は言語のコードではありません。</translation>
    </message>
    <message>
        <source>Write en, ja, de, fr, …</source>
        <translation>en、ja、de、fr などと書いてください。</translation>
    </message>
    <message>
        <source>&apos;{0}&apos; can not be a name.</source>
        <translation>「{0}」は名前にできません。</translation>
    </message>
    <message>
        <source>Name a folder elsewhere with --out.</source>
        <translation>--out で別の場所のフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>Dialogues can not be cut shorter than half a minute.</source>
        <translation>対話を 30 秒より短く切ることはできません。</translation>
    </message>
    <message>
        <source>Say --longest 0.5 or more.</source>
        <translation>--longest は 0.5 以上にしてください。</translation>
    </message>
    <message>
        <source>{0} lies in the dataset&apos;s own folder.</source>
        <translation>{0} はデータセット自身のフォルダーの中にあります。</translation>
    </message>
    <message>
        <source>Choose another one for the dataset.</source>
        <translation>データセットには別のフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>The dataset {0} is of the language {1}, the sources of {2}.</source>
        <translation>データセット {0} の言語は {1}、取り込むものの言語は {2} です。</translation>
    </message>
    <message>
        <source>Choose another --name, or say with --language that they are the same.</source>
        <translation>別の --name を選ぶか、同じ言語だと --language で指定してください。</translation>
    </message>
    <message>
        <source>Wait for that to end.</source>
        <translation>終わるまでお待ちください。</translation>
    </message>
    <message>
        <source>{0} is being recorded at this moment.</source>
        <translation>{0} は現在録音中です。</translation>
    </message>
    <message>
        <source>See who may write there, and whether the disk has room.</source>
        <translation>書き込み権限とディスクの空き容量を確認してください。</translation>
    </message>
    <message>
        <source>{0} would begin before the sound, or end before beginning or far behind it.</source>
        <translation>{0} が音声より前に始まるか、始まる前または音声よりずっと後に終わることになっています。</translation>
    </message>
    <message>
        <source>The dataset {0} holds tokens alone.</source>
        <translation>データセット {0} にはトークンしかありません。</translation>
    </message>
    <message>
        <source>Choose another --name for sound.</source>
        <translation>音声には別の --name を選んでください。</translation>
    </message>
    <message>
        <source>Its source has changed since it was imported.</source>
        <translation>取り込んだ後で元のものが変わっています。</translation>
    </message>
    <message>
        <source>It stays.</source>
        <translation>そのまま残します。</translation>
    </message>
    <message>
        <source>Its words have changed since it was imported.</source>
        <translation>取り込んだ後に元の単語が変わりました。</translation>
    </message>
    <message>
        <source>They were replaced.</source>
        <translation>置き換えました。</translation>
    </message>
    <message>
        <source>There are words now that it did not have.</source>
        <translation>以前はなかった単語が元にあります。</translation>
    </message>
    <message>
        <source>They were added.</source>
        <translation>追加しました。</translation>
    </message>
    <message>
        <source>Its source has other words than the dataset, where they were corrected.</source>
        <translation>元の単語がデータセットで修正された単語と違います。</translation>
    </message>
    <message>
        <source>Those of the dataset stay.</source>
        <translation>データセットの単語を残します。</translation>
    </message>
    <message>
        <source>To take the others, delete {0} and import it again.</source>
        <translation>元の単語を使うには、{0} を削除してもう一度取り込んでください。</translation>
    </message>
    <message>
        <source>It has the same sound as {0}.</source>
        <translation>{0} と同じ音声です。</translation>
    </message>
    <message>
        <source>It was left out, its words were added there.</source>
        <translation>除外し、単語だけをそちらに追加しました。</translation>
    </message>
    <message>
        <source>Named more than once: {0}.</source>
        <translation>重複して指定されたもの: {0}。</translation>
    </message>
    <message>
        <source>Each is used once.</source>
        <translation>それぞれ一度だけ使います。</translation>
    </message>
    <message>
        <source>It can not be imported: {0}.</source>
        <translation>取り込めません: {0}。</translation>
    </message>
    <message>
        <source>{0} had been imported before.</source>
        <translation>{0}は取り込み済みでした。</translation>
    </message>
    <message>
        <source>New words came into {0} of {1}.</source>
        <translation>{1} の {0} に新しい単語が入りました。</translation>
    </message>
    <message>
        <source>{0} held the same dialogue as another.</source>
        <translation>{0} はほかと同じ対話でした。</translation>
    </message>
    <message>
        <source>Repeated sound in {0}: training uses it once.</source>
        <translation>{0} に同じ音声があります。学習では一度だけ使います。</translation>
    </message>
    <message>
        <source>{0} had to be left out.</source>
        <translation>{0}を除きました。</translation>
    </message>
    <message>
        <source>Words are missing in {0}: run `aizuchi data transcribe {1}`.</source>
        <translation>{0} に言葉がありません。`aizuchi data transcribe {1}` を実行してください。</translation>
    </message>
    <message>
        <source>Some of the sources are sound, some are tokens alone.</source>
        <translation>取り込むものに、音声とトークンだけのものが混ざっています。</translation>
    </message>
    <message>
        <source>Import them into two datasets; a run can learn from both.</source>
        <translation>二つのデータセットに分けて取り込んでください。学習には両方を使えます。</translation>
    </message>
    <message>
        <source>The dataset {0} holds sound.</source>
        <translation>データセット {0} は音声です。</translation>
    </message>
    <message>
        <source>Choose another --name for tokens alone.</source>
        <translation>トークンだけのものには別の --name を選んでください。</translation>
    </message>
    <message>
        <source>All are ready for training, with a model like the one they were made for.</source>
        <translation>作られたときと同じ種類のモデルで、すべて学習に使えます。</translation>
    </message>
    <message>
        <source>Nothing new came into {0}.</source>
        <translation>{0} に新しいものは入りませんでした。</translation>
    </message>
    <message>
        <source>{0} of {1} in all came into {2}.</source>
        <translation>{0}、合わせて {1} を {2} に取り込みました。</translation>
    </message>
    <message>
        <source>What was imported before is kept; run the same command again to go on.</source>
        <translation>取り込んだものは残っています。同じコマンドをもう一度実行すると続きます。</translation>
    </message>
    <message>
        <source>The dialogue could not be imported.</source>
        <translation>対話を取り込めませんでした。</translation>
    </message>
    <message>
        <source>None of the {0} dialogues could be imported.</source>
        <translation>対話 {0} 件のうち一つも取り込めませんでした。</translation>
    </message>
    <message>
        <source>It was imported.</source>
        <translation>取り込みました。</translation>
    </message>
    <message>
        <source>It is clipped: {0}.</source>
        <translation>音が割れています: {0}。</translation>
    </message>
    <message>
        <source>It was kept as it is.</source>
        <translation>そのまま残しました。</translation>
    </message>
    <message>
        <source>{0} samples are no numbers.</source>
        <translation>{0} 個のサンプルが数値ではありません。</translation>
    </message>
    <message>
        <source>They were made silent.</source>
        <translation>無音にしました。</translation>
    </message>
    <message>
        <source>The {0} channel (voice {1}) is silent.</source>
        <translation>{0}チャンネル（声 {1}）が無音です。</translation>
    </message>
    <message>
        <source>It was kept: the other voice can be learnt.</source>
        <translation>もう一方の声は学習できるので、残しました。</translation>
    </message>
    <message>
        <source>There is {0} behind the end of the sound ({1} s).</source>
        <translation>音声の終わり（{1} 秒）より後に{0}あります。</translation>
    </message>
    <message>
        <source>There are {0} behind the end of the sound ({1} s).</source>
        <translation>音声の終わり（{1} 秒）より後に{0}あります。</translation>
    </message>
    <message>
        <source>Their times were mended.</source>
        <translation>時刻を直しました。</translation>
    </message>
    <message>
        <source>The words would fit the sound better with their times multiplied by {0}.</source>
        <translation>言葉の時刻を {0} 倍すると、音声によりよく合います。</translation>
    </message>
    <message>
        <source>They were kept as they are; transcribe the dialogue again.</source>
        <translation>そのまま残しました。文字起こしをやり直してください。</translation>
    </message>
    <message>
        <source>There is no dataset &apos;{0}&apos;.</source>
        <translation>「{0}」というデータセットはありません。</translation>
    </message>
    <message>
        <source>{0} holds tokens alone, without sound.</source>
        <translation>{0} にはトークンだけがあり、音声がありません。</translation>
    </message>
    <message>
        <source>They are prepared already: name the dataset in the data of a training run.</source>
        <translation>準備は済んでいます。学習のデータとして指定してください。</translation>
    </message>
    <message>
        <source>{0} holds no dialogues.</source>
        <translation>{0} に対話がありません。</translation>
    </message>
    <message>
        <source>Import some with `aizuchi data import`.</source>
        <translation>`aizuchi data import` で取り込んでください。</translation>
    </message>
    <message>
        <source>There is no graphics card that torch can use.</source>
        <translation>torch が使える GPU がありません。</translation>
    </message>
    <message>
        <source>Encode with --device cpu.</source>
        <translation>--device cpu で符号化してください。</translation>
    </message>
    <message>
        <source>No dialogue of {0} could be prepared.</source>
        <translation>{0} の対話を一つも準備できませんでした。</translation>
    </message>
    <message>
        <source>Mend what was found, or import them again.</source>
        <translation>見つかった問題を直すか、取り込み直してください。</translation>
    </message>
    <message>
        <source>{0} of {1} in all, ready for training.</source>
        <translation>{0}、合わせて {1} を学習に使えます。</translation>
    </message>
    <message>
        <source>Install it with `uv sync --extra transcribe`.</source>
        <translation>`uv sync --extra transcribe` でインストールしてください。</translation>
    </message>
    <message>
        <source>Convert it with `ct2-transformers-converter --model DIR --output_dir NEW_DIR --copy_files tokenizer.json preprocessor_config.json`.</source>
        <translation>`ct2-transformers-converter --model DIR --output_dir NEW_DIR --copy_files tokenizer.json preprocessor_config.json` で変換してください。</translation>
    </message>
    <message>
        <source>The recogniser stopped: {0}.</source>
        <translation>音声認識が止まりました: {0}。</translation>
    </message>
    <message>
        <source>There is no folder {0}.</source>
        <translation>フォルダー {0} がありません。</translation>
    </message>
    <message>
        <source>Give a folder with a Whisper model that CTranslate2 reads.</source>
        <translation>CTranslate2 が読める Whisper モデルのフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>Choose one that knows more languages.</source>
        <translation>もっと多くの言語を知るものを選んでください。</translation>
    </message>
    <message>
        <source>It knows {0}, ….</source>
        <translation>知っている言語は {0} などです。</translation>
    </message>
    <message>
        <source>The recogniser &apos;{0}&apos; does not know the language &apos;{1}&apos;.</source>
        <translation>音声認識「{0}」は言語「{1}」を知りません。</translation>
    </message>
    <message>
        <source>{0} holds a model that is not in CTranslate2&apos;s format.</source>
        <translation>{0} のモデルは CTranslate2 の形式ではありません。</translation>
    </message>
    <message>
        <source>{0} holds no Whisper model.</source>
        <translation>{0} に Whisper のモデルがありません。</translation>
    </message>
    <message>
        <source>Give a folder with model.bin, config.json and tokenizer.json.</source>
        <translation>model.bin、config.json、tokenizer.json のあるフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>Copy {0} from where the model is from.</source>
        <translation>モデルの配布元から {0} をコピーしてください。</translation>
    </message>
    <message>
        <source>Words are found by faster-whisper, which is not installed.</source>
        <translation>言葉の認識に使う faster-whisper がインストールされていません。</translation>
    </message>
    <message>
        <source>faster-whisper can not be used: {0}.</source>
        <translation>faster-whisper が使えません: {0}。</translation>
    </message>
    <message>
        <source>The recogniser &apos;{0}&apos; is not on this computer and can not be fetched: {1}.</source>
        <translation>音声認識「{0}」はこのコンピューターになく、取得もできません: {1}。</translation>
    </message>
    <message>
        <source>Give a folder with a Whisper model in CTranslate2&apos;s format.</source>
        <translation>CTranslate2 形式の Whisper モデルのフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>The recogniser &apos;{0}&apos; can not be used: {1}.</source>
        <translation>音声認識「{0}」は使えません: {1}。</translation>
    </message>
    <message>
        <source>There is no recogniser &apos;{0}&apos;.</source>
        <translation>「{0}」という音声認識はありません。</translation>
    </message>
    <message>
        <source>Give a folder, or one of {0}.</source>
        <translation>フォルダーか、{0} のどれかを指定してください。</translation>
    </message>
    <message>
        <source>Choose a smaller recogniser, or `--device cpu`.</source>
        <translation>小さい音声認識か `--device cpu` を選んでください。</translation>
    </message>
    <message>
        <source>Try `--device cpu`.</source>
        <translation>`--device cpu` をお試しください。</translation>
    </message>
    <message>
        <source>Check that the folder holds a whole Whisper model in CTranslate2&apos;s format.</source>
        <translation>フォルダーに CTranslate2 形式の Whisper モデルがすべてそろっているか確認してください。</translation>
    </message>
    <message>
        <source>Prepare the dataset again.</source>
        <translation>データセットを準備し直してください。</translation>
    </message>
    <message>
        <source>It was prepared for another model: prepare the dataset again with the model in training.</source>
        <translation>別のモデル用に準備されています。学習するモデルでデータセットを準備し直してください。</translation>
    </message>
    <message>
        <source>The dialogue {0} in {1} has the code {2}, and the model&apos;s Mimi has the codes 0 to {3}.</source>
        <translation>{1} の対話 {0} にコード {2} がありますが、モデルの Mimi のコードは 0 から {3} です。</translation>
    </message>
    <message>
        <source>The dialogue {0} in {1} has the text token {2}, and the model knows 0 to {3}.</source>
        <translation>{1} の対話 {0} にテキストトークン {2} がありますが、モデルが知るのは 0 から {3} です。</translation>
    </message>
    <message>
        <source>The dialogue {0} in {1} has {2} frames of A and {3} of B.</source>
        <translation>{1} の対話 {0} は A が {2} フレーム、B が {3} フレームです。</translation>
    </message>
    <message>
        <source>See whether the disk has room, and whether the folder can be written.</source>
        <translation>ディスクに空きがあり、フォルダーに書き込めるか確認してください。</translation>
    </message>
    <message>
        <source>{0} can not be unpacked into {1}: {2}.</source>
        <translation>{0} を {1} に展開できません: {2}。</translation>
    </message>
    <message>
        <source>The cache {0} is damaged.</source>
        <translation>キャッシュ {0} が壊れています。</translation>
    </message>
    <message>
        <source>Delete the folder; it is made anew.</source>
        <translation>フォルダーを削除してください。作り直されます。</translation>
    </message>
    <message>
        <source>{0} is no Parquet file, or it is damaged: {1}.</source>
        <translation>{0} は Parquet ファイルではないか、壊れています: {1}。</translation>
    </message>
    <message>
        <source>It has to hold dialogue_id, and for A and B lists of 1 + 8 lists of integers.</source>
        <translation>dialogue_id と、A と B それぞれに整数のリスト 1 + 8 本のリストが必要です。</translation>
    </message>
    <message>
        <source>{0} has no column {1}.</source>
        <translation>{0} に列 {1} がありません。</translation>
    </message>
    <message>
        <source>{0} has more than one column {1}.</source>
        <translation>{0} に列 {1} が複数あります。</translation>
    </message>
    <message>
        <source>The column {0} of {1} holds {2}, no names.</source>
        <translation>{1} の列 {0} は {2} で、名前ではありません。</translation>
    </message>
    <message>
        <source>Dialogue {0} of {1} has no dialogue_id.</source>
        <translation>{1} の {0} 番目の対話に dialogue_id がありません。</translation>
    </message>
    <message>
        <source>The column {0} of {1} holds {2}, no streams of tokens.</source>
        <translation>{1} の列 {0} は {2} で、トークンの列ではありません。</translation>
    </message>
    <message>
        <source>{0} has {1} streams instead of {2}.</source>
        <translation>{0} のストリームは {2} 本ではなく {1} 本です。</translation>
    </message>
    <message>
        <source>{0} has streams of different lengths, or with gaps.</source>
        <translation>{0} のストリームは長さが違うか、抜けがあります。</translation>
    </message>
    <message>
        <source>{0} has the token {1}.</source>
        <translation>{0} にトークン {1} があります。</translation>
    </message>
    <message>
        <source>It lasts only {0} s.</source>
        <translation>長さが {0} 秒しかありません。</translation>
    </message>
    <message>
        <source>Training leaves out what is so short.</source>
        <translation>これほど短いものは学習に使われません。</translation>
    </message>
    <message>
        <source>{0} has no text.</source>
        <translation>{0} にテキストがありません。</translation>
    </message>
    <message>
        <source>Who learns this voice learns to say no words.</source>
        <translation>この声を学ぶと、何も言わないことを学びます。</translation>
    </message>
    <message>
        <source>It may hold recordings, stereo sound files, Kyutai&apos;s or nu-dialogue&apos;s data.</source>
        <translation>録音、ステレオの音声ファイル、Kyutai か nu-dialogue のデータを置けます。</translation>
    </message>
    <message>
        <source>It may be stereo sound, Parquet, or a list with {&quot;path&quot;: …} on each line.</source>
        <translation>ステレオの音声、Parquet、または各行に {&quot;path&quot;: …} のある一覧が使えます。</translation>
    </message>
    <message>
        <source>There is nothing to import in {0}.</source>
        <translation>{0} に取り込めるものがありません。</translation>
    </message>
    <message>
        <source>There is no &apos;{0}&apos; to import.</source>
        <translation>取り込む「{0}」がありません。</translation>
    </message>
    <message>
        <source>Name a file, a folder, or a recording as `aizuchi` lists it.</source>
        <translation>ファイル、フォルダー、または `aizuchi` の一覧にある録音を指定してください。</translation>
    </message>
    <message>
        <source>See who may read it.</source>
        <translation>読み取りの権限を確認してください。</translation>
    </message>
    <message>
        <source>{0} names {1}, which is not there.</source>
        <translation>{0} に書かれた {1} がありません。</translation>
    </message>
    <message>
        <source>{0} lies in too many folders.</source>
        <translation>{0} のフォルダーの階層が深すぎます。</translation>
    </message>
    <message>
        <source>Each line has to be {&quot;path&quot;: …, &quot;duration&quot;: …}, in UTF-8.</source>
        <translation>各行は UTF-8 の {&quot;path&quot;: …, &quot;duration&quot;: …} でなければなりません。</translation>
    </message>
    <message>
        <source>Line {0} of {1} names no sound file.</source>
        <translation>{1} の {0} 行目に音声ファイルの指定がありません。</translation>
    </message>
    <message>
        <source>Import the dialogue again.</source>
        <translation>対話を取り込み直してください。</translation>
    </message>
    <message>
        <source>{0} never speaks.</source>
        <translation>{0} が一度も話しません。</translation>
    </message>
    <message>
        <source>Leave the dialogue out, or swap its channels.</source>
        <translation>対話を除くか、チャンネルを入れ替えてください。</translation>
    </message>
    <message>
        <source>Transcribe it, or its text stays empty.</source>
        <translation>文字起こしをしてください。しないとテキストは空のままです。</translation>
    </message>
    <message>
        <source>{0} speaks for {1} s and has no words.</source>
        <translation>{0} は {1} 秒話していますが、言葉がありません。</translation>
    </message>
    <message>
        <source>One word of {0} is at impossible times: {1}.</source>
        <translation>{0} の言葉一つの時刻がありえません: {1}。</translation>
    </message>
    <message>
        <source>{0} words of {1} are at impossible times: {2}.</source>
        <translation>{1} の言葉 {0} 個の時刻がありえません: {2}。</translation>
    </message>
    <message>
        <source>One word of {0} is too long: {1}.</source>
        <translation>{0} の言葉一つが長すぎます: {1}。</translation>
    </message>
    <message>
        <source>{0} words of {1} are too long: {2}.</source>
        <translation>{1} の言葉 {0} 個が長すぎます: {2}。</translation>
    </message>
    <message>
        <source>One word of {0} is said over the one before: {1}.</source>
        <translation>{0} の言葉一つが前の言葉に重なっています: {1}。</translation>
    </message>
    <message>
        <source>{0} words of {1} are said over the one before: {2}.</source>
        <translation>{1} の言葉 {0} 個が前の言葉に重なっています: {2}。</translation>
    </message>
    <message>
        <source>Correct their times.</source>
        <translation>時刻を直してください。</translation>
    </message>
    <message>
        <source>{0} of {1} words of {2} lie where it is silent, such as {3}.</source>
        <translation>{2} の言葉 {1} 個のうち {0} 個が無音のところにあります。例: {3}。</translation>
    </message>
    <message>
        <source>The times do not fit the sound, or the channels are swapped.</source>
        <translation>時刻が音声に合わないか、チャンネルが逆です。</translation>
    </message>
    <message>
        <source>{0} speaks for {1} of {2} s without words, most from {3} s on.</source>
        <translation>{0} の話す {2} 秒のうち {1} 秒に言葉がありません。最も長いのは {3} 秒からです。</translation>
    </message>
    <message>
        <source>Transcribe it again, or complete the words.</source>
        <translation>文字起こしをやり直すか、言葉を補ってください。</translation>
    </message>
    <message>
        <source>It has the text token {0}, and {1} knows 0 to {2}.</source>
        <translation>テキストトークン {0} がありますが、{1} が知っているのは 0 から {2} までです。</translation>
    </message>
    <message>
        <source>It has the code {0}, and {1} knows 0 to {2}.</source>
        <translation>コード {0} がありますが、{1} が知っているのは 0 から {2} までです。</translation>
    </message>
    <message>
        <source>Import what was made for this model, or choose the model that it was made for.</source>
        <translation>このモデル用に作られたものを読み込むか、元のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{0} has {1} text tokens for {2} s of words: the text can not keep up.</source>
        <translation>{0} の言葉 {2} 秒にテキストトークンが {1} 個あり、テキストが追いつきません。</translation>
    </message>
    <message>
        <source>Look at the times of the words, and whether the model speaks the language.</source>
        <translation>言葉の時刻と、モデルがその言語を話すかどうかを確認してください。</translation>
    </message>
    <message>
        <source>The file was left out.</source>
        <translation>ファイルを除きました。</translation>
    </message>
    <message>
        <source>The dialogue was left out.</source>
        <translation>対話を除きました。</translation>
    </message>
    <message>
        <source>{0} has codes {1}, not [{2}, T] and [T].</source>
        <translation>{0} のコードの形は [{2}, T] と [T] ではなく {1} です。</translation>
    </message>
    <message>
        <source>The voices of {0}.npz in {1} have {2} frames.</source>
        <translation>{1} の {0}.npz の声は {2} フレームです。</translation>
    </message>
    <message>
        <source>{0} is missing.</source>
        <translation>{0} がありません。</translation>
    </message>
    <message>
        <source>{0} does not hold A and B.</source>
        <translation>{0} に A と B がそろっていません。</translation>
    </message>
    <message>
        <source>{0} is damaged, or holds something else than arrays of numbers.</source>
        <translation>{0} が壊れているか、数値の配列ではありません。</translation>
    </message>
    <message>
        <source>{0} holds no integers.</source>
        <translation>{0} の中身が整数ではありません。</translation>
    </message>
    <message>
        <source>{0} has no frames.</source>
        <translation>{0} にフレームがありません。</translation>
    </message>
    <message>
        <source>{0} has the text token {1}, not 0 to {2}.</source>
        <translation>{0} のテキストトークン {1} は 0 から {2} の範囲にありません。</translation>
    </message>
    <message>
        <source>{0} has the code {1}, not 0 to {2}.</source>
        <translation>{0} のコード {1} は 0 から {2} の範囲にありません。</translation>
    </message>
    <message>
        <source>The language of the dataset {0} is not known.</source>
        <translation>データセット {0} の言語が分かりません。</translation>
    </message>
    <message>
        <source>Name it: `--language en`, ja, ….</source>
        <translation>`--language en` や ja などで指定してください。</translation>
    </message>
    <message>
        <source>&apos;{0}&apos; is no language.</source>
        <translation>「{0}」は言語ではありません。</translation>
    </message>
    <message>
        <source>Name its code, such as en or ja.</source>
        <translation>en や ja などのコードで指定してください。</translation>
    </message>
    <message>
        <source>Nobody speaks in {0}.</source>
        <translation>{0} では誰も話していません。</translation>
    </message>
    <message>
        <source>No words were found in {0} s of sound in {1}.</source>
        <translation>{1} の {0} 秒の音声に言葉が見つかりませんでした。</translation>
    </message>
    <message>
        <source>{0} in silence in {1}.</source>
        <translation>{1} の無音のところに{0}ありました。</translation>
    </message>
    <message>
        <source>Found {0} in {1} of {2}.</source>
        <translation>{2}の{1}に{0}見つかりました。</translation>
    </message>
    <message>
        <source>{0} had been done before; `--again` listens anew.</source>
        <translation>{0}は済んでいました。`--again` を付けると聞き直します。</translation>
    </message>
    <message>
        <source>{0} could not be read.</source>
        <translation>{0}を読めませんでした。</translation>
    </message>
    <message>
        <source>See whether the disk has room; what was found before is kept.</source>
        <translation>ディスクに空きがあるか確認してください。それまでに見つかったものは残っています。</translation>
    </message>
    <message>
        <source>{0} has 1 channel at {1} Hz, not two at 24000 Hz.</source>
        <translation>{0} は {1} Hz、1 チャンネルです。24000 Hz、2 チャンネルでなければなりません。</translation>
    </message>
    <message>
        <source>{0} has {1} channels at {2} Hz, not two at 24000 Hz.</source>
        <translation>{0} は {2} Hz、{1} チャンネルです。24000 Hz、2 チャンネルでなければなりません。</translation>
    </message>
    <message>
        <source>{0} names the speakers {1}.</source>
        <translation>{0} に出てくる話者は {1} です。</translation>
    </message>
    <message>
        <source>Say with --speaker which of them the model learns.</source>
        <translation>どの話者をモデルが学ぶかを --speaker で指定してください。</translation>
    </message>
    <message>
        <source>Transcribe the dialogue.</source>
        <translation>対話を文字起こししてください。</translation>
    </message>
    <message>
        <source>{0} holds no words with speakers and times.</source>
        <translation>{0} に話者と時刻の付いた言葉がありません。</translation>
    </message>
    <message>
        <source>It has to hold [{&quot;speaker&quot;, &quot;word&quot;, &quot;start&quot;, &quot;end&quot;}, …] or {&quot;alignments&quot;: […]}.</source>
        <translation>[{&quot;speaker&quot;, &quot;word&quot;, &quot;start&quot;, &quot;end&quot;}, …] か {&quot;alignments&quot;: […]} が必要です。</translation>
    </message>
    <message>
        <source>left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>{0} and {1}</source>
        <translation>{0} と {1}</translation>
    </message>
    <message>
        <source>1 word</source>
        <translation>言葉が 1 個</translation>
    </message>
    <message>
        <source>{0} words</source>
        <translation>言葉が {0} 個</translation>
    </message>
    <message>
        <source>1 unsure word</source>
        <translation>不確かな言葉が 1 個</translation>
    </message>
    <message>
        <source>{0} unsure words</source>
        <translation>不確かな言葉が {0} 個</translation>
    </message>
    <message>
        <source>1 dialogue</source>
        <translation>対話 1 件</translation>
    </message>
    <message>
        <source>{0} dialogues</source>
        <translation>対話 {0} 件</translation>
    </message>
    <message>
        <source>1 source</source>
        <translation>1 件</translation>
    </message>
    <message>
        <source>{0} sources</source>
        <translation>{0} 件</translation>
    </message>
    <message>
        <source>1 voice</source>
        <translation>声 1 つ</translation>
    </message>
    <message>
        <source>{0} voices</source>
        <translation>声 {0} つ</translation>
    </message>
    <message>
        <source>{0} % of the left channel</source>
        <translation>左チャンネルの {0} %</translation>
    </message>
    <message>
        <source>{0} % of the right channel</source>
        <translation>右チャンネルの {0} %</translation>
    </message>
    <message>
        <source>{0} % of the left channel and {1} % of the right channel</source>
        <translation>左チャンネルの {0} % と右チャンネルの {1} %</translation>
    </message>
    <message>
        <source>“{0}” from {1} to {2} s</source>
        <translation>{1} 秒から {2} 秒の「{0}」</translation>
    </message>
    <message>
        <source>“{0}” lasts {1} s</source>
        <translation>「{0}」は {1} 秒</translation>
    </message>
    <message>
        <source>“{0}” and “{1}” at {2} s</source>
        <translation>{2} 秒の「{0}」と「{1}」</translation>
    </message>
    <message>
        <source>“{0}” at {1} s</source>
        <translation>{1} 秒の「{0}」</translation>
    </message>
    <message>
        <source>true or false</source>
        <translation>true か false</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>整数</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>数</translation>
    </message>
    <message>
        <source>a text</source>
        <translation>文字列</translation>
    </message>
    <message>
        <source>a list</source>
        <translation>リスト</translation>
    </message>
    <message>
        <source>an object</source>
        <translation>オブジェクト</translation>
    </message>
    <message>
        <source>blank</source>
        <translation>空白</translation>
    </message>
    <message>
        <source>a list of {0} values</source>
        <translation>値 {0} 個のリスト</translation>
    </message>
    <message>
        <source>above 0</source>
        <translation>0 より大きい値</translation>
    </message>
    <message>
        <source>0 or above</source>
        <translation>0 以上</translation>
    </message>
    <message>
        <source>dialogues</source>
        <translation>対話</translation>
    </message>
    <message>
        <source>An echo has nothing to learn with.</source>
        <translation>エコーには学習するものがありません。</translation>
    </message>
    <message>
        <source>Name a model, such as moshika.</source>
        <translation>moshika などのモデルを指定してください。</translation>
    </message>
    <message>
        <source>{0} has 8-bit weights, which can not be trained.</source>
        <translation>{0} の重みは 8 ビットなので学習できません。</translation>
    </message>
    <message>
        <source>Train {0} with base_bits = 8, which needs as little memory.</source>
        <translation>{0} を base_bits = 8 で学習してください。必要なメモリは同じくらい小さくて済みます。</translation>
    </message>
    <message>
        <source>Its config.toml or the model that it is trained from has changed: put the old one back.</source>
        <translation>config.toml か、学習元のモデルが変わっています。元のものに戻してください。</translation>
    </message>
    <message>
        <source>Its config.toml or the model that it was trained from has changed: put the old one back.</source>
        <translation>config.toml か、学習に使ったモデルが変わっています。元のものに戻してください。</translation>
    </message>
    <message>
        <source>{0} is of another configuration: {1} is on one side only.</source>
        <translation>{0} は別の設定のものです。{1} が片方にしかありません。</translation>
    </message>
    <message>
        <source>{0} is of another configuration: {1} has another shape.</source>
        <translation>{0} は別の設定のものです。{1} の形が違います。</translation>
    </message>
    <message>
        <source>Free some space and go on with `aizuchi train --resume`; earlier checkpoints are kept.</source>
        <translation>空きを作り、`aizuchi train --resume` で続けてください。以前のチェックポイントは残っています。</translation>
    </message>
    <message>
        <source>Check the disk; earlier checkpoints are kept.</source>
        <translation>ディスクを確認してください。以前のチェックポイントは残っています。</translation>
    </message>
    <message>
        <source>The disk is full: {0} could not be written.</source>
        <translation>ディスクがいっぱいで、{0} を書き込めませんでした。</translation>
    </message>
    <message>
        <source>{0} could not be written: {1}.</source>
        <translation>{0} を書き込めませんでした: {1}。</translation>
    </message>
    <message>
        <source>Go on from an earlier checkpoint with --step, or begin anew.</source>
        <translation>--step で以前のチェックポイントから続けるか、最初からやり直してください。</translation>
    </message>
    <message>
        <source>Sound can not be written without soundfile.</source>
        <translation>soundfile がないと音声を書き込めません。</translation>
    </message>
    <message>
        <source>Install soundfile.</source>
        <translation>soundfile をインストールしてください。</translation>
    </message>
    <message>
        <source>See whether the disk has room.</source>
        <translation>ディスクに空きがあるか確認してください。</translation>
    </message>
    <message>
        <source>Name a TOML file.</source>
        <translation>TOML ファイルを指定してください。</translation>
    </message>
    <message>
        <source>{0} is not valid TOML: {1}.</source>
        <translation>{0} は正しい TOML ではありません: {1}。</translation>
    </message>
    <message>
        <source>Correct the line.</source>
        <translation>その行を直してください。</translation>
    </message>
    <message>
        <source>Known are {0}.</source>
        <translation>使えるのは {0} です。</translation>
    </message>
    <message>
        <source>Did you mean {0}?</source>
        <translation>{0} のことですか？</translation>
    </message>
    <message>
        <source>{0} has an unknown setting {1}.</source>
        <translation>{0} に知らない設定 {1} があります。</translation>
    </message>
    <message>
        <source>{0}: {1} is not a table.</source>
        <translation>{0}: {1} はテーブルではありません。</translation>
    </message>
    <message>
        <source>Write its settings below [{0}].</source>
        <translation>[{0}] の下に設定を書いてください。</translation>
    </message>
    <message>
        <source>{0}: {1} can not be {2}.</source>
        <translation>{0}: {1} を {2} にはできません。</translation>
    </message>
    <message>
        <source>Choose one of {0}.</source>
        <translation>{0} のどれかを選んでください。</translation>
    </message>
    <message>
        <source>It has to be {0}.</source>
        <translation>{0} でなければなりません。</translation>
    </message>
    <message>
        <source>{0}: {1} is {2}.</source>
        <translation>{0}: {1} が {2} です。</translation>
    </message>
    <message>
        <source>It lies between 0 and 1.</source>
        <translation>0 から 1 の間です。</translation>
    </message>
    <message>
        <source>For example [0.9, 0.95].</source>
        <translation>たとえば [0.9, 0.95] です。</translation>
    </message>
    <message>
        <source>A run&apos;s name is that of its folder, without others around it.</source>
        <translation>学習の名前はフォルダーの名前です。ほかのフォルダーを含めないでください。</translation>
    </message>
    <message>
        <source>It is 16, 8 or 4.</source>
        <translation>16、8、4 のどれかです。</translation>
    </message>
    <message>
        <source>Write for example data = [&quot;my-talks&quot;].</source>
        <translation>たとえば data = [&quot;my-talks&quot;] と書いてください。</translation>
    </message>
    <message>
        <source>Choose [&quot;A&quot;] (the left channel), [&quot;B&quot;] or both.</source>
        <translation>[&quot;A&quot;]（左チャンネル）、[&quot;B&quot;]、または両方を選んでください。</translation>
    </message>
    <message>
        <source>Lower it.</source>
        <translation>小さくしてください。</translation>
    </message>
    <message>
        <source>Only a frozen base can be kept in fewer bits: choose method = &quot;lora&quot;.</source>
        <translation>少ないビットで保持できるのは固定したベースだけです。method = &quot;lora&quot; を選んでください。</translation>
    </message>
    <message>
        <source>Choose one of both.</source>
        <translation>どちらか一方を選んでください。</translation>
    </message>
    <message>
        <source>No dialogue is {0} s long or longer.</source>
        <translation>長さが {0} 秒以上の対話がありません。</translation>
    </message>
    <message>
        <source>Choose a shorter --prompt.</source>
        <translation>--prompt を短くしてください。</translation>
    </message>
    <message>
        <source>Name one dataset at a time, each with an --out of its own.</source>
        <translation>データセットは一つずつ、それぞれの --out を付けて指定してください。</translation>
    </message>
    <message>
        <source>Two dialogues are called {0}.</source>
        <translation>{0} という名前の対話が二つあります。</translation>
    </message>
    <message>
        <source>{0} of {1} dialogues left out, shorter than the prompt of {2} s: {3}.</source>
        <translation>対話 {1} 件中 {0} 件は {2} 秒のプロンプトより短いため除きました: {3}。</translation>
    </message>
    <message>
        <source>{0} predicts its own voice alone, so it answers the user&apos;s voice of each dialogue.</source>
        <translation>{0} が予測するのは自分の声だけなので、各対話の利用者の声に答えます。</translation>
    </message>
    <message>
        <source>Kept from before: {0}.</source>
        <translation>前回のものを残しました: {0}。</translation>
    </message>
    <message>
        <source>{0} needs {1} GB, and {2} GB are free on {3}.</source>
        <translation>{0} には {1} GB 必要ですが、{3} の空きは {2} GB です。</translation>
    </message>
    <message>
        <source>Lower --batch, or close other programs that use the memory.</source>
        <translation>--batch を小さくするか、メモリを使っているほかのプログラムを閉じてください。</translation>
    </message>
    <message>
        <source>The graphics memory ran out; what was made is kept.</source>
        <translation>GPU メモリが足りなくなりました。できたものは残っています。</translation>
    </message>
    <message>
        <source>Lower --batch.</source>
        <translation>--batch を小さくしてください。</translation>
    </message>
    <message>
        <source>Name a new folder with --out.</source>
        <translation>--out で新しいフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>{0} can not be used: {1}.</source>
        <translation>{0} は使えません: {1}。</translation>
    </message>
    <message>
        <source>{0} holds {1} dialogues that were made otherwise: the model was another.</source>
        <translation>{0} には別のモデルで作った対話が {1} 件あります。</translation>
    </message>
    <message>
        <source>{0} holds {1} dialogues that were made otherwise: {2} was {3}, and is {4} now.</source>
        <translation>{0} には別の設定で作った対話が {1} 件あります。{2} は {3} でしたが、今は {4} です。</translation>
    </message>
    <message>
        <source>Free some space and give the same command again: what is there is kept.</source>
        <translation>空きを作り、同じコマンドをもう一度実行してください。できたものは残っています。</translation>
    </message>
    <message>
        <source>No dialogue is long enough to learn from: the longest has {0} s, and is cut into stretches of {1} s.</source>
        <translation>学習できる長さの対話がありません。最も長いものは {0} 秒で、{1} 秒ずつに切られます。</translation>
    </message>
    <message>
        <source>No dialogue is long enough to learn from: the longest has {0} s.</source>
        <translation>学習できる長さの対話がありません。最も長いものは {0} 秒です。</translation>
    </message>
    <message>
        <source>Lower batch.min_seconds, which is {0}, or raise batch.seconds, which is {1}.</source>
        <translation>batch.min_seconds（今は {0}）を小さくするか、batch.seconds（今は {1}）を大きくしてください。</translation>
    </message>
    <message>
        <source>Lower batch.min_seconds, which is {0}.</source>
        <translation>batch.min_seconds（今は {0}）を小さくしてください。</translation>
    </message>
    <message>
        <source>Free some space, or name another disk with --out.</source>
        <translation>空きを作るか、--out で別のディスクを指定してください。</translation>
    </message>
    <message>
        <source>Name another folder with --out.</source>
        <translation>--out で別のフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>Name an earlier checkpoint with --step, or train with lower rates.</source>
        <translation>--step で以前のチェックポイントを指定するか、学習率を下げて学習し直してください。</translation>
    </message>
    <message>
        <source>{0} of {1} holds numbers that are not finite after step {2}.</source>
        <translation>{1} の {0} に、ステップ {2} の時点で有限でない数値があります。</translation>
    </message>
    <message>
        <source>{0} does not fit its run: {1} has another shape.</source>
        <translation>{0} は学習の設定に合いません。{1} の形が違います。</translation>
    </message>
    <message>
        <source>{0} does not fit its run: {1} is on one side only.</source>
        <translation>{0} は学習の設定に合いません。{1} が片方にしかありません。</translation>
    </message>
    <message>
        <source>{0} does not fit its run: {1}.</source>
        <translation>{0} は学習の設定に合いません: {1}。</translation>
    </message>
    <message>
        <source>{0} is an adapter on {1}, which is one itself.</source>
        <translation>{0} がアダプターとして付く {1} 自身もアダプターです。</translation>
    </message>
    <message>
        <source>Export it with --merge, as a whole model.</source>
        <translation>--merge を付けて、モデル全体として書き出してください。</translation>
    </message>
    <message>
        <source>{0} is an adapter on {1}, which predicts the user&apos;s voice too.</source>
        <translation>{0} はアダプターで、元の {1} は利用者の声も予測します。</translation>
    </message>
    <message>
        <source>Export it with --merge, as a whole model that talks.</source>
        <translation>--merge を付けて、会話できるモデル全体として書き出してください。</translation>
    </message>
    <message>
        <source>{0} holds something else.</source>
        <translation>{0} に別のものがあります。</translation>
    </message>
    <message>
        <source>The {0} to go on with hold a token {1}, and the model knows 0 to {2}.</source>
        <translation>続きを作る元の{0}にトークン {1} がありますが、モデルが知るのは 0 から {2} です。</translation>
    </message>
    <message>
        <source>Prepare the dialogues for this model.</source>
        <translation>このモデル用に対話を準備してください。</translation>
    </message>
    <message>
        <source>Go back to an earlier checkpoint; if there is none, train with lower learning rates.</source>
        <translation>以前のチェックポイントに戻してください。なければ、学習率を下げて学習してください。</translation>
    </message>
    <message>
        <source>The model gives no numbers: its weights are damaged or have diverged.</source>
        <translation>モデルの出力が数値になりません。重みが壊れているか、発散しています。</translation>
    </message>
    <message>
        <source>Lower the learning rates, and use an earlier checkpoint.</source>
        <translation>学習率を下げ、以前のチェックポイントを使ってください。</translation>
    </message>
    <message>
        <source>The voice collapses: the sample has {0} different sounds, before training it had {1}.</source>
        <translation>声が崩れています。サンプルの音は {0} 種類で、学習前は {1} 種類でした。</translation>
    </message>
    <message>
        <source>The model falls silent: {0} of the sample&apos;s text is padding.</source>
        <translation>モデルが黙り込んでいます。サンプルのテキストの {0} がパディングです。</translation>
    </message>
    <message>
        <source>The held-out loss has not fallen for {0} evaluations; the best is step {1}.</source>
        <translation>検証の損失が {0} 回続けて下がりませんでした。最良はステップ {1} です。</translation>
    </message>
    <message>
        <source>The held-out loss fell by less than {0} % in {1} evaluations; the best is step {2}.</source>
        <translation>検証データの損失は {1} 回の評価で {0} % も下がりませんでした。最良はステップ {2} です。</translation>
    </message>
    <message>
        <source>The model hardly learns: in {0} steps its loss has changed by less than {1}.</source>
        <translation>モデルはほとんど学習していません。{0} ステップで損失の変化は {1} 未満です。</translation>
    </message>
    <message>
        <source>Train anew with higher learning rates, such as {0} and {1} (depth).</source>
        <translation>学習率を上げて学習し直してください（例: {0}、depth は {1}）。</translation>
    </message>
    <message>
        <source>The voice loses variety: the sample has {0} different sounds and {1} bits of entropy, before training it had {2} and {3}.</source>
        <translation>声が単調になっています。サンプルの音は {0} 種類、エントロピーは {1} ビットです。学習前は {2} 種類、{3} ビットでした。</translation>
    </message>
    <message>
        <source>Listen to the samples; if they sound monotonous, use an earlier checkpoint and lower rates.</source>
        <translation>サンプルを聴いてください。単調に聞こえるなら、前のチェックポイントを使い、学習率を下げてください。</translation>
    </message>
    <message>
        <source>Saving a checkpoint</source>
        <translation>チェックポイントを保存しています</translation>
    </message>
    <message>
        <source>The loss of step {0} is not a number; it learnt from {1}.</source>
        <translation>ステップ {0} の損失が数値ではありません。学習していたのは {1} です。</translation>
    </message>
    <message>
        <source>Look at these dialogues, or lower the learning rates; the checkpoints until then are good.</source>
        <translation>これらの対話を確認するか、学習率を下げてください。それまでのチェックポイントは使えます。</translation>
    </message>
    <message>
        <source>It has those after {0}.</source>
        <translation>あるのは {0} の後のものです。</translation>
    </message>
    <message>
        <source>It has none yet.</source>
        <translation>まだ一つもありません。</translation>
    </message>
    <message>
        <source>{0} has no checkpoint after step {1}.</source>
        <translation>{0} にステップ {1} の後のチェックポイントがありません。</translation>
    </message>
    <message>
        <source>Lower batch.seconds, or set base_bits to 8 or 4.</source>
        <translation>batch.seconds を小さくするか、base_bits を 8 か 4 にしてください。</translation>
    </message>
    <message>
        <source>Go on with it by `aizuchi train --resume {0}`, or choose another name.</source>
        <translation>`aizuchi train --resume {0}` で続けるか、別の名前を選んでください。</translation>
    </message>
    <message>
        <source>There is a run {0} already.</source>
        <translation>学習 {0} はすでにあります。</translation>
    </message>
    <message>
        <source>The run {0} began with other settings: {1}.</source>
        <translation>学習 {0} は別の設定で開始されています：{1}。</translation>
    </message>
    <message>
        <source>Put them back in {0}, or begin a new run: `aizuchi export {1}`, and name the model that comes of it.</source>
        <translation>{0} の設定を元に戻すか、`aizuchi export {1}` で書き出したモデルを指定して新しい学習を開始してください。</translation>
    </message>
    <message>
        <source>The model {0} is not the one that the run {1} began with.</source>
        <translation>モデル {0} は、学習 {1} の開始時のものと異なります。</translation>
    </message>
    <message>
        <source>The dialogues are not those that the run {0} began with.</source>
        <translation>対話データが、学習 {0} の開始時のものと異なります。</translation>
    </message>
    <message>
        <source>Added since it began: {0}.</source>
        <translation>開始後に追加された対話：{0}。</translation>
    </message>
    <message>
        <source>Removed since it began: {0}.</source>
        <translation>開始後に削除された対話：{0}。</translation>
    </message>
    <message>
        <source>Changed since it began: {0}.</source>
        <translation>開始後に変更された対話：{0}。</translation>
    </message>
    <message>
        <source>Held out now, and learnt from before: {0}.</source>
        <translation>学習用から評価用に変わった対話：{0}。</translation>
    </message>
    <message>
        <source>Learnt from now, and held out before: {0}.</source>
        <translation>評価用から学習用に変わった対話：{0}。</translation>
    </message>
    <message>
        <source>They are in another order, or cut otherwise.</source>
        <translation>対話の順序または区切り方が異なります。</translation>
    </message>
    <message>
        <source>Put back what it began with, or begin a new run: `aizuchi export {0}`, and name the model that comes of it.</source>
        <translation>開始時の状態に戻すか、`aizuchi export {0}` で書き出したモデルを指定して新しい学習を開始してください。</translation>
    </message>
    <message>
        <source>{0} is damaged, so that nobody knows what {1} learnt from.</source>
        <translation>{0} が壊れているため、{1} が何から学習したか分かりません。</translation>
    </message>
    <message>
        <source>Put back a copy of the file, or export the last checkpoint: `aizuchi export {0}`.</source>
        <translation>ファイルのコピーを戻すか、`aizuchi export {0}` で最後のチェックポイントを書き出してください。</translation>
    </message>
    <message>
        <source>The learning rates fall over {0} steps now, and fell over {1} before.</source>
        <translation>学習率は {0} ステップで下がるようになりました（以前は {1} ステップ）。</translation>
    </message>
    <message>
        <source>The run began with {0} {1}, and goes on with {2}.</source>
        <translation>この学習は {0} {1} で開始され、{2} で続行します。</translation>
    </message>
    <message>
        <source>Its numbers may differ in the last digits.</source>
        <translation>数値が末尾の桁で異なることがあります。</translation>
    </message>
    <message>
        <source>The run {0} was begun by an Aizuchi that did not keep what it began with.</source>
        <translation>学習 {0} は、開始時の内容を保存しない旧バージョンで開始されました。</translation>
    </message>
    <message>
        <source>What can be seen of its data is as it was; from now on all of it is kept.</source>
        <translation>確認できる範囲ではデータは同じです。今後はすべて保存されます。</translation>
    </message>
    <message>
        <source>{0} is not prepared.</source>
        <translation>{0} は準備されていません。</translation>
    </message>
    <message>
        <source>Run `aizuchi data prepare {0}` first.</source>
        <translation>先に `aizuchi data prepare {0}` を実行してください。</translation>
    </message>
    <message>
        <source>{0} was prepared for another model: its {1} is not that of {2}.</source>
        <translation>{0} は別のモデル用に準備されています。{1} が {2} のものと違います。</translation>
    </message>
    <message>
        <source>Run `aizuchi data prepare {0} --model {1}`.</source>
        <translation>`aizuchi data prepare {0} --model {1}` を実行してください。</translation>
    </message>
    <message>
        <source>Training {0} this way needs about {1} GB of graphics memory, and {2} of {3} GB are free on {4}.</source>
        <translation>{0} をこの方法で学習するには GPU メモリが約 {1} GB 必要ですが、{4} で空いているのは {3} GB 中 {2} GB です。</translation>
    </message>
    <message>
        <source>Training {0} this way needs about {1} GB of memory, and {2} of {3} GB are free on {4}.</source>
        <translation>{0} をこの方法で学習するにはメモリが約 {1} GB 必要ですが、{4} で空いているのは {3} GB 中 {2} GB です。</translation>
    </message>
    <message>
        <source>Train an adapter, method = &quot;lora&quot;, or share the model out to several cards, memory.sharded.</source>
        <translation>アダプター（method = &quot;lora&quot;）を学習するか、memory.sharded でモデルを複数の GPU に分けてください。</translation>
    </message>
    <message>
        <source>Set base_bits = {0}, or lower lora.rank or batch.seconds.</source>
        <translation>base_bits = {0} にするか、lora.rank か batch.seconds を小さくしてください。</translation>
    </message>
    <message>
        <source>Lower lora.rank or batch.seconds, or close what else uses the card.</source>
        <translation>lora.rank か batch.seconds を小さくするか、GPU を使っているほかのものを閉じてください。</translation>
    </message>
    <message>
        <source>Only the frozen base of an adapter can be kept in fewer bits.</source>
        <translation>少ないビットで保持できるのは、アダプターの固定したベースだけです。</translation>
    </message>
    <message>
        <source>Choose method = &quot;lora&quot;.</source>
        <translation>method = &quot;lora&quot; を選んでください。</translation>
    </message>
    <message>
        <source>A weight of {0} can not be kept in 4 bits.</source>
        <translation>{0} の重みは 4 ビットで保持できません。</translation>
    </message>
    <message>
        <source>Choose base_bits = 8 or 16.</source>
        <translation>base_bits = 8 か 16 を選んでください。</translation>
    </message>
    <message>
        <source>A base of {0} bits is not known.</source>
        <translation>{0} ビットのベースはありません。</translation>
    </message>
    <message>
        <source>Choose 16, 8 or 4.</source>
        <translation>16、8、4 のどれかを選んでください。</translation>
    </message>
    <message>
        <source>A model with base_bits = {0} can not be shared out.</source>
        <translation>base_bits = {0} のモデルは分けられません。</translation>
    </message>
    <message>
        <source>Set base_bits = 16, or let each process keep the whole model.</source>
        <translation>base_bits = 16 にするか、各プロセスにモデル全体を持たせてください。</translation>
    </message>
    <message>
        <source>loss.user_words teaches the temporal transformer, which the method depth leaves as it is.</source>
        <translation>loss.user_words は時間方向の Transformer を学習させますが、method depth ではそれは変わりません。</translation>
    </message>
    <message>
        <source>Set it to 0, or choose another method.</source>
        <translation>0 にするか、別の method を選んでください。</translation>
    </message>
    <message>
        <source>An average of the weights can not be shared out.</source>
        <translation>重みの平均は分けられません。</translation>
    </message>
    <message>
        <source>Set optimizer.ema = 0, or let each process keep the whole model.</source>
        <translation>optimizer.ema = 0 にするか、各プロセスにモデル全体を持たせてください。</translation>
    </message>
    <message>
        <source>The optimizer {0} can not be shared out.</source>
        <translation>オプティマイザー {0} は分けられません。</translation>
    </message>
    <message>
        <source>Set optimizer.name = &quot;adamw&quot;: its state is shared out instead.</source>
        <translation>optimizer.name = &quot;adamw&quot; にしてください。代わりにその状態が分けられます。</translation>
    </message>
    <message>
        <source>A step learns from {0} examples, which {1} processes with {2} each can not share evenly.</source>
        <translation>1 ステップで学ぶ {0} 件の例を、{2} 件ずつの {1} プロセスで等しく分けられません。</translation>
    </message>
    <message>
        <source>Set batch.accumulation so that size x accumulation is a multiple of {0}.</source>
        <translation>size × accumulation が {0} の倍数になるように batch.accumulation を決めてください。</translation>
    </message>
    <message>
        <source>The optimiser adamw8bit needs a graphics card.</source>
        <translation>オプティマイザー adamw8bit には GPU が必要です。</translation>
    </message>
    <message>
        <source>Set optimizer.name = &quot;adamw&quot;.</source>
        <translation>optimizer.name = &quot;adamw&quot; にしてください。</translation>
    </message>
    <message>
        <source>&apos;{0}&apos; is no training run, so it has no step {1}.</source>
        <translation>「{0}」は学習ではないので、ステップ {1} はありません。</translation>
    </message>
    <message>
        <source>Leave out --step.</source>
        <translation>--step を外してください。</translation>
    </message>
    <message>
        <source>An echo has nothing to go on with.</source>
        <translation>エコーには続けるものがありません。</translation>
    </message>
    <message>
        <source>Name a model, a folder or a training run.</source>
        <translation>モデル、フォルダー、または学習を指定してください。</translation>
    </message>
    <message>
        <source>The run {0} has no checkpoint yet.</source>
        <translation>学習 {0} にはまだチェックポイントがありません。</translation>
    </message>
    <message>
        <source>Wait for its first evaluation.</source>
        <translation>最初の評価をお待ちください。</translation>
    </message>
    <message>
        <source>The model predicts the user&apos;s voice already.</source>
        <translation>モデルはすでに利用者の声を予測します。</translation>
    </message>
    <message>
        <source>Train both voices as it is.</source>
        <translation>このまま両方の声を学習してください。</translation>
    </message>
    <message>
        <source>The model does not predict the user&apos;s voice.</source>
        <translation>モデルは利用者の声を予測しません。</translation>
    </message>
    <message>
        <source>Use it as it is.</source>
        <translation>このまま使ってください。</translation>
    </message>
    <message>
        <source>The depth steps of this model share weights, so none can be added for the user&apos;s voice.</source>
        <translation>このモデルの Depth ステップは重みを共有しているので、利用者の声の分を足せません。</translation>
    </message>
    <message>
        <source>Train the model&apos;s voice alone.</source>
        <translation>モデルの声だけを学習してください。</translation>
    </message>
    <message>
        <source>The weights have {0}, and their configuration speaks of {1} depth steps.</source>
        <translation>重みに {0} がありますが、設定の Depth ステップは {1} 個です。</translation>
    </message>
    <message>
        <source>The weights lack {0}, and their configuration speaks of {1} depth steps.</source>
        <translation>重みに {0} がありませんが、設定の Depth ステップは {1} 個です。</translation>
    </message>
    <message>
        <source>Use the configuration that belongs to the weights.</source>
        <translation>重みに付いている設定を使ってください。</translation>
    </message>
    <message>
        <source>The model hears {0} codebooks and predicts {1} of them, which are not two voices of the same size.</source>
        <translation>モデルは {0} 個のコードブックを聞き、{1} 個を予測しますが、同じ大きさの二つの声になりません。</translation>
    </message>
    <message>
        <source>{0}: {1} are {2}.</source>
        <translation>{0}: {1} が {2} です。</translation>
    </message>
    <message>
        <source>{0}: data names no dataset.</source>
        <translation>{0}: data にデータセットの名前がありません。</translation>
    </message>
    <message>
        <source>{0} stands in data and in held_out.</source>
        <translation>{0} が data と held_out の両方にあります。</translation>
    </message>
    <message>
        <source>Hold out what is not learnt from.</source>
        <translation>学習に使わないものを held_out にしてください。</translation>
    </message>
    <message>
        <source>{0} of {1} dialogues in held_out are in data as well, such as {2}.</source>
        <translation>held_out の対話 {1} 件のうち {0} 件が data にもあります ({2} など)。</translation>
    </message>
    <message>
        <source>Take them out of one of both; without held_out a share of data is held out by itself.</source>
        <translation>どちらか一方から外してください。held_out がなければ data の一部が自動的に検証用になります。</translation>
    </message>
    <message>
        <source>{0} of {1} dialogues in {2} repeat others, such as {3}.</source>
        <translation>{2} の対話 {1} 件のうち {0} 件がほかと同じです ({3} など)。</translation>
    </message>
    <message>
        <source>{0}: batch.min_seconds is above batch.seconds.</source>
        <translation>{0}: batch.min_seconds が batch.seconds より大きくなっています。</translation>
    </message>
    <message>
        <source>{0}: base_bits {1} is for an adapter, and the method is {2}.</source>
        <translation>{0}: base_bits {1} はアダプター用ですが、method は {2} です。</translation>
    </message>
</context>
<context>
    <name>TrainPage</name>
    <message>
        <source>{0} is ready to be learnt from.</source>
        <translation>{0} は学習に使えます。</translation>
    </message>
    <message>
        <source>{0} is ready for {1}.</source>
        <translation>{0} は {1} 用に準備できています。</translation>
    </message>
    <message>
        <source>{0} has changed since it was prepared.</source>
        <translation>{0} は準備のあとで変わりました。</translation>
    </message>
    <message>
        <source>Training reads what was prepared: prepare it again.</source>
        <translation>学習では準備済みのデータを使います。もう一度準備してください。</translation>
    </message>
    <message>
        <source>Train…</source>
        <translation>学習へ…</translation>
    </message>
    <message>
        <source>Choose what a run shall learn from it (Alt+3)</source>
        <translation>何を学習するかを選ぶ (Alt+3)</translation>
    </message>
    <message>
        <source>Prepare again</source>
        <translation>もう一度準備</translation>
    </message>
    <message>
        <source>Turn the sound and the words into what training reads, as they are now</source>
        <translation>今の音声と言葉を学習用のデータにします</translation>
    </message>
</context>
<context>
    <name>TrainStep</name>
    <message>
        <source>Runs</source>
        <translation>学習</translation>
    </message>
    <message>
        <source>New run</source>
        <translation>新しい学習</translation>
    </message>
    <message>
        <source>Choose what another run shall do</source>
        <translation>別の学習の内容を選ぶ</translation>
    </message>
    <message>
        <source>Unloading the model…</source>
        <translation>モデルを解放しています…</translation>
    </message>
    <message>
        <source>{0} can not be written: {1}.</source>
        <translation>{0} に書き込めません: {1}</translation>
    </message>
    <message>
        <source>Make room on the disk.</source>
        <translation>ディスクの空き容量を増やしてください。</translation>
    </message>
</context>
<context>
    <name>Training</name>
    <message>
        <source>{0} · {1} of {2}</source>
        <translation>{0} · {1} / {2}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>開始しています…</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>停止しています…</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>学習中</translation>
    </message>
    <message>
        <source>{0} · on {1}</source>
        <translation>{0} · {1} で実行中</translation>
    </message>
    <message>
        <source>Stopped at step {0}; it can go on from there</source>
        <translation>ステップ {0} で停止（続きから再開できます）</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>It failed at step {0}; it can go on from its last checkpoint</source>
        <translation>ステップ {0} で失敗（最後のチェックポイントから再開できます）</translation>
    </message>
    <message>
        <source>training, {0} %</source>
        <translation>学習中 {0} %</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失敗</translation>
    </message>
    <message>
        <source>best {0}</source>
        <translation>最良 {0}</translation>
    </message>
    <message>
        <source>best {0} ({1})</source>
        <translation>最良 {0}（{1}）</translation>
    </message>
    <message>
        <source>{0} %</source>
        <translation>{0} %</translation>
    </message>
    <message>
        <source>Step {0} of {1}</source>
        <translation>ステップ {0} / {1}</translation>
    </message>
    <message>
        <source>{0} s of audio a second</source>
        <translation>1 秒あたり音声 {0} 秒</translation>
    </message>
    <message>
        <source>{0} of graphics memory</source>
        <translation>GPU メモリ {0}</translation>
    </message>
    <message>
        <source>{0} of memory</source>
        <translation>メモリー {0}</translation>
    </message>
    <message>
        <source>{0} of dialogue</source>
        <translation>対話 {0}</translation>
    </message>
    <message>
        <source>{0} s left</source>
        <translation>残り {0} 秒</translation>
    </message>
    <message>
        <source>{0} min left</source>
        <translation>残り {0} 分</translation>
    </message>
    <message>
        <source>{0} left</source>
        <translation>残り {0}</translation>
    </message>
    <message>
        <source>About a minute</source>
        <translation>約 1 分</translation>
    </message>
    <message>
        <source>About {0} min</source>
        <translation>約 {0} 分</translation>
    </message>
    <message>
        <source>About {0}</source>
        <translation>約 {0}</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>言葉</translation>
    </message>
    <message>
        <source>Speech sounds</source>
        <translation>発音</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>Your voice</source>
        <translation>あなたの声</translation>
    </message>
    <message>
        <source>Different sounds in the sample</source>
        <translation>サンプル中の音の種類</translation>
    </message>
    <message>
        <source>Variety of its sounds</source>
        <translation>音の多様さ</translation>
    </message>
    <message>
        <source>Silence in its words</source>
        <translation>言葉のない割合</translation>
    </message>
    <message>
        <source>{0} bits</source>
        <translation>{0} ビット</translation>
    </message>
</context>
<context>
    <name>Transcript</name>
    <message>
        <source>Transcript</source>
        <translation>文字起こし</translation>
    </message>
    <message>
        <source>Click a line, or press Return in it, to play from there</source>
        <translation>行をクリックするか Return を押すと、そこから再生</translation>
    </message>
</context>
<context>
    <name>Transport</name>
    <message>
        <source>Place in the talk</source>
        <translation>会話内の位置</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>ループ</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>You</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>再生</translation>
    </message>
    <message>
        <source>Go round in the marked stretch (L)</source>
        <translation>指定した範囲を繰り返す (L)</translation>
    </message>
    <message>
        <source>Mark a stretch first: drag over the strip above</source>
        <translation>先に上の帯をドラッグして範囲を指定してください</translation>
    </message>
    <message>
        <source>Play or pause (Space)</source>
        <translation>再生または一時停止 (Space)</translation>
    </message>
    <message>
        <source>Speed {0}</source>
        <translation>速度 {0}</translation>
    </message>
    <message>
        <source>Play {0} as fast, at the same pitch</source>
        <translation>音の高さを変えずに {0} の速さで再生する</translation>
    </message>
    <message>
        <source>Balance of the two voices</source>
        <translation>2 つの声のバランス</translation>
    </message>
    <message>
        <source>To the left the model alone, to the right you alone</source>
        <translation>左端でモデルだけ、右端であなただけになります</translation>
    </message>
</context>
<context>
    <name>Trash</name>
    <message>
        <source>The recording is gone already; it can not be moved to the trash.</source>
        <translation>録音はすでになくなっているため、ゴミ箱に移動できません。</translation>
    </message>
    <message>
        <source>It was deleted or moved in another place.</source>
        <translation>ほかの場所で削除または移動されました。</translation>
    </message>
    <message>
        <source>The recording could not be moved to the trash.</source>
        <translation>録音をゴミ箱に移動できませんでした。</translation>
    </message>
    <message>
        <source>There may be none on this disk; the folder to remove is {0}.</source>
        <translation>このディスクにはゴミ箱がない可能性があります。削除するフォルダーは {0} です。</translation>
    </message>
</context>
<context>
    <name>Warnings</name>
    <message>
        <source>Step {0}: {1}</source>
        <translation>ステップ {0}: {1}</translation>
    </message>
</context>
<context>
    <name>Waveform</name>
    <message>
        <source>Sound and words</source>
        <translation>音声と言葉</translation>
    </message>
    <message>
        <source>No word is chosen. Tab goes from word to word, Insert adds one at the play head.</source>
        <translation>単語は選ばれていません。Tab で次の単語へ移動、Insert で再生位置に単語を追加します。</translation>
    </message>
</context>
<context>
    <name>WelcomePage</name>
    <message>
        <source>Welcome to Aizuchi</source>
        <translation>Aizuchi へようこそ</translation>
    </message>
    <message>
        <source>Here you talk with a model that listens while it speaks. It runs on this computer: nothing that you say leaves it.</source>
        <translation>話しながら聞くモデルと会話できます。すべてこのコンピューターで動き、話した内容が外に出ることはありません。</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>サウンド</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>What the model hears you by</source>
        <translation>モデルがあなたの声を聞くマイク</translation>
    </message>
    <message>
        <source>Speaker</source>
        <translation>スピーカー</translation>
    </message>
    <message>
        <source>What you hear the model by</source>
        <translation>モデルの声が出るスピーカー</translation>
    </message>
    <message>
        <source>Level of the microphone</source>
        <translation>マイクのレベル</translation>
    </message>
    <message>
        <source>Level of the speaker</source>
        <translation>スピーカーのレベル</translation>
    </message>
    <message>
        <source>Test sound</source>
        <translation>テスト音</translation>
    </message>
    <message>
        <source>Play three notes</source>
        <translation>三つの音を鳴らします</translation>
    </message>
    <message>
        <source>Say something: the bar moves.</source>
        <translation>何か話すと、バーが動きます。</translation>
    </message>
    <message>
        <source>Headphones are best. Through a loudspeaker, echo is cancelled.</source>
        <translation>ヘッドホンが最適です。スピーカーで使うときはエコーを取り除きます。</translation>
    </message>
    <message>
        <source>Do you hear it?</source>
        <translation>聞こえますか？</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>録音</translation>
    </message>
    <message>
        <source>Record every talk</source>
        <translation>すべての会話を録音する</translation>
    </message>
    <message>
        <source>Can be changed at any time, also during a talk (R)</source>
        <translation>いつでも変更できます。会話中も変更できます (R)</translation>
    </message>
    <message>
        <source>Both voices and the words, to hear again and to train on. They stay on this computer until you delete them.</source>
        <translation>両方の声と言葉を、聞き直しや学習のために残します。削除するまで、このコンピューターにだけ保存されます。</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>See the others</source>
        <translation>ほかのモデルを見る</translation>
    </message>
    <message>
        <source>What they speak, what they may be used for, and what fits this graphics card</source>
        <translation>話せる言語、使える目的、この GPU に収まるもの</translation>
    </message>
    <message>
        <source>A small model is here already, and is enough to try. The large ones are 8 to 15 GB to download, and need an NVIDIA card.</source>
        <translation>小さなモデルが付属していて、すぐに試せます。大きなモデルは 8〜15 GB のダウンロードと NVIDIA の GPU が必要です。</translation>
    </message>
    <message>
        <source>Begin</source>
        <translation>はじめる</translation>
    </message>
</context>
<context>
    <name>WordEditor</name>
    <message>
        <source>No word is chosen: click one, or press Tab.</source>
        <translation>単語が選ばれていません。クリックするか Tab を押してください。</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>再生</translation>
    </message>
    <message>
        <source>Every change is saved by itself.</source>
        <translation>変更は自動で保存されます。</translation>
    </message>
    <message>
        <source>Not saved.</source>
        <translation>保存されていません。</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>保存中…</translation>
    </message>
    <message>
        <source>Saved.</source>
        <translation>保存しました。</translation>
    </message>
    <message>
        <source>Saved. Prepare the dataset again before you train.</source>
        <translation>保存しました。学習の前にデータセットを準備し直してください。</translation>
    </message>
    <message>
        <source>The words of the model were exactly what it said. Now that you corrected them, yours count; the exact ones are kept as {0}.</source>
        <translation>モデルの言葉は、実際に出力されたものでした。修正したため、今後は修正後の言葉を使います。元の言葉は {0} に残ります。</translation>
    </message>
    <message>
        <source>The stretch that is shown</source>
        <translation>表示範囲</translation>
    </message>
    <message>
        <source>The chosen word</source>
        <translation>選択中の単語</translation>
    </message>
    <message>
        <source>‹ Pictures</source>
        <translation>‹ 図</translation>
    </message>
    <message>
        <source>Back (Esc)</source>
        <translation>戻る (Esc)</translation>
    </message>
    <message>
        <source>State of saving</source>
        <translation>保存の状態</translation>
    </message>
    <message>
        <source>Prepare again</source>
        <translation>もう一度準備</translation>
    </message>
    <message>
        <source>Turn the corrected words into what training reads</source>
        <translation>直した言葉を学習用のデータにします</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>Take the last change back (Ctrl+Z)</source>
        <translation>直前の変更を取り消す (Ctrl+Z)</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>やり直す</translation>
    </message>
    <message>
        <source>Do it after all (Ctrl+Shift+Z)</source>
        <translation>取り消した変更をやり直す (Ctrl+Shift+Z)</translation>
    </message>
    <message>
        <source>Play from the play head, or pause (Space)</source>
        <translation>再生位置から再生または一時停止 (Space)</translation>
    </message>
    <message>
        <source>Hear the word</source>
        <translation>単語を聞く</translation>
    </message>
    <message>
        <source>Play it alone (Ctrl+Space)</source>
        <translation>この単語だけを再生する (Ctrl+Space)</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>追加</translation>
    </message>
    <message>
        <source>Add a word at the play head (Insert)</source>
        <translation>再生位置に単語を追加する (Insert)</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>書き換え</translation>
    </message>
    <message>
        <source>Change what the word says (F2)</source>
        <translation>単語の文字を書き換える (F2)</translation>
    </message>
    <message>
        <source>Other voice</source>
        <translation>声を入れ替え</translation>
    </message>
    <message>
        <source>Give the word to the other voice (M)</source>
        <translation>単語をもう一方の声に移す (M)</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Take the word away (Delete)</source>
        <translation>単語を削除する (Delete)</translation>
    </message>
    <message>
        <source>Tab: next word · F2: write · Insert: add · M: other voice · Alt+←/→: start by 10 ms, with Shift the end · Ctrl+Space: hear the word · wheel: zoom · drag a word or its edges to move them</source>
        <translation>Tab: 次の単語 · F2: 書き換え · Insert: 追加 · M: もう一方の声へ · Alt+←/→: 始まりを 10 ms 移動、Shift を加えると終わり · Ctrl+Space: 単語を聞く · ホイール: 拡大・縮小 · 単語やその端をドラッグ: 移動</translation>
    </message>
</context>
<context>
    <name>WordField</name>
    <message>
        <source>The word</source>
        <translation>単語</translation>
    </message>
    <message>
        <source>Return keeps it, Tab goes on with the next word, Escape leaves it as it was</source>
        <translation>Return で確定、Tab で次の単語へ、Escape で元のまま</translation>
    </message>
</context>
<context>
    <name>WordKeeper</name>
    <message>
        <source>The corrected words are kept here, and saved when it has ended.</source>
        <translation>修正した内容はここに保持され、終了後に保存されます。</translation>
    </message>
    <message>
        <source>The corrected words could not be saved: {0}.</source>
        <translation>修正した言葉を保存できませんでした: {0}</translation>
    </message>
    <message>
        <source>They are kept here; make room or allow writing, and press Ctrl+S.</source>
        <translation>修正はここに残っています。空き容量を増やすか書き込みを許可して、Ctrl+S を押してください。</translation>
    </message>
</context>
<context>
    <name>WordList</name>
    <message>
        <source>adding “{0}”</source>
        <translation>「{0}」の追加</translation>
    </message>
    <message>
        <source>deleting “{0}”</source>
        <translation>「{0}」の削除</translation>
    </message>
    <message>
        <source>writing “{0}”</source>
        <translation>「{0}」への書き換え</translation>
    </message>
    <message>
        <source>moving “{0}”</source>
        <translation>「{0}」の移動</translation>
    </message>
    <message>
        <source>giving “{0}” to the other voice</source>
        <translation>「{0}」をもう一方の声へ</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>時刻</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>Word</source>
        <translation>単語</translation>
    </message>
</context>
<context>
    <name>WordTable</name>
    <message>
        <source>The words, in order of time</source>
        <translation>時刻順の単語</translation>
    </message>
</context>
<context>
    <name>Wording</name>
    <message>
        <source>Today, {0}</source>
        <translation>今日 {0}</translation>
    </message>
    <message>
        <source>Yesterday, {0}</source>
        <translation>昨日 {0}</translation>
    </message>
    <message>
        <source>{0} h {1} min</source>
        <translation>{0} 時間 {1} 分</translation>
    </message>
    <message>
        <source>{0} min {1} s</source>
        <translation>{0} 分 {1} 秒</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} 秒</translation>
    </message>
    <message>
        <source>{0} s skipped</source>
        <translation>{0} 秒をスキップ</translation>
    </message>
    <message>
        <source>{0} s of silence played</source>
        <translation>無音を {0} 秒再生</translation>
    </message>
    <message>
        <source>late {0} times: {1}</source>
        <translation>遅れ {0} 回: {1}</translation>
    </message>
    <message>
        <source>{0} s lost: the sound device was opened again</source>
        <translation>{0} 秒欠落: サウンドデバイスを開き直しました</translation>
    </message>
    <message>
        <source>{0} s lost: no sound from the microphone</source>
        <translation>{0} 秒欠落: マイクから音声が届きませんでした</translation>
    </message>
    <message>
        <source>{0} s lost: the model began anew</source>
        <translation>{0} 秒欠落: モデルが最初から始めました</translation>
    </message>
    <message>
        <source>{0} s lost: the sound server stalled</source>
        <translation>{0} 秒欠落: サウンドサーバーが停止していました</translation>
    </message>
    <message>
        <source>{0} s lost: the computer was asleep</source>
        <translation>{0} 秒欠落: コンピューターがスリープしていました</translation>
    </message>
    <message>
        <source>{0} s lost</source>
        <translation>{0} 秒欠落</translation>
    </message>
    <message>
        <source>{0} MB</source>
        <translation>{0} MB</translation>
    </message>
    <message>
        <source>{0} GB</source>
        <translation>{0} GB</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>Natural, female</source>
        <translation>自然・女性</translation>
    </message>
    <message>
        <source>Natural, male</source>
        <translation>自然・男性</translation>
    </message>
    <message>
        <source>Varied, female</source>
        <translation>個性的・女性</translation>
    </message>
    <message>
        <source>Varied, male</source>
        <translation>個性的・男性</translation>
    </message>
    <message>
        <source>Voice: {0}</source>
        <translation>声: {0}</translation>
    </message>
    <message>
        <source>Role: {0}</source>
        <translation>役割: {0}</translation>
    </message>
    <message>
        <source>Its sound can not be read.</source>
        <translation>音声を読み取れません。</translation>
    </message>
    <message>
        <source>Some of its files are damaged; what can be read is here.</source>
        <translation>一部のファイルが壊れています。読み取れる部分だけを表示しています。</translation>
    </message>
    <message>
        <source>It was cut off; what was written until then is here.</source>
        <translation>録音が途中で切れました。それまでの分は残っています。</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>破損</translation>
    </message>
    <message>
        <source>cut off</source>
        <translation>途中で中断</translation>
    </message>
    <message>
        <source>you, {0} s</source>
        <translation>あなた、{0} 秒</translation>
    </message>
    <message>
        <source>{0}, {1}</source>
        <translation>{0} {1}</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>What is said</source>
        <translation>話されている言葉</translation>
    </message>
    <message>
        <source>Click a line to see it in the timeline</source>
        <translation>行をクリックするとタイムラインに表示</translation>
    </message>
    <message>
        <source>(you: {length} s)</source>
        <translation>（あなた: {length} 秒）</translation>
    </message>
</context>
<context>
    <name>_EmptyState</name>
    <message>
        <source>No talk with “{0}” was found</source>
        <translation>「{0}」を含む会話は見つかりませんでした</translation>
    </message>
    <message>
        <source>The search looks at the model&apos;s words, its name and the date. Your words are not known.</source>
        <translation>検索の対象はモデルの言葉、モデル名、日付です。あなたの言葉はわかりません。</translation>
    </message>
    <message>
        <source>No talks yet</source>
        <translation>会話はまだありません</translation>
    </message>
    <message>
        <source>Every talk is recorded here unless you switch it off. Ctrl+1 begins one.</source>
        <translation>録音をオフにしない限り、会話はすべてここに録音されます。Ctrl+1 で会話を始められます。</translation>
    </message>
</context>
<context>
    <name>_Findings</name>
    <message>
        <source>To look at</source>
        <translation>見ておく点</translation>
    </message>
    <message>
        <source>What is odd</source>
        <translation>おかしな点</translation>
    </message>
    <message>
        <source>Show all {0}</source>
        <translation>{0} 件すべて表示</translation>
    </message>
    <message>
        <source>{0} more</source>
        <translation>ほか {0} 件</translation>
    </message>
    <message>
        <source>Refused</source>
        <translation>学習不可</translation>
    </message>
    <message>
        <source>Odd</source>
        <translation>要確認</translation>
    </message>
    <message>
        <source>Correct the words…</source>
        <translation>言葉を直す…</translation>
    </message>
    <message>
        <source>Open the words of {0} beside its sound</source>
        <translation>{0} の言葉を音声と並べて開く</translation>
    </message>
    <message>
        <source>Prepare</source>
        <translation>準備</translation>
    </message>
    <message>
        <source>Go to where the dataset is prepared</source>
        <translation>データセットを準備する画面に移動する</translation>
    </message>
</context>
</TS>
