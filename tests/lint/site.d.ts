// What the scripts of the site hand to each other, for the type checker. Each script adds its part to the window.

/** What `ledger/publish/data/search_data.py` writes, made whole by `columns.js`. */
interface Column {
  words: string[];
  codes: number[];
}

interface Param extends Column {
  name: string;
}

interface Metric {
  id: string;
  key: string;
  dataset: string;
  evaluator: string;
  /** Whether the dataset version is known. */
  known: boolean;
  direction: "higher" | "lower" | null;
  /** Address of its leaderboard. */
  page: string | null;
  values: (number | null)[];
}

interface Runs {
  rows: number;
  /** How many there are on the whole site. */
  total: number;
  /** The parts that they came in. */
  parts: { name: string; rows: number }[];
  /** How many of them, at the end, have no page of their own. */
  older: number;
  id: string[];
  /** What tells each run apart from the others of its experiment. */
  name: string[];
  byId: Map<string, number>;
  status: Column;
  experiment: Column;
  author: Column;
  commit: Column;
  changes: Column;
  trained: Column;
  seed: Column;
  note: Column;
  currency: Column;
  tags: { words: string[]; codes: number[][] };
  params: Param[];
  metrics: Metric[];
  /** Address of the page of each experiment. */
  pages: string[];
  started: number[];
  duration: (number | null)[];
  cost: (number | null)[];
  setting: (number | string)[];
  /** Index of the metric of each run's headline; -1 for none. */
  headline: number[];
  curves: (0 | 1)[];
  gpus: Column;
  energy: (number | null)[];
  shown_params: string[];
  /** Params that differ, those that the headline metric moves with most first. */
  told_params: string[];
  /** Ids of the metrics that the table shows at first. */
  shown_metrics: string[];
  /** Metrics that queries may ask for. */
  keys: string[];
  fields: { name: string; values: unknown[]; codes: number[] }[];
  /** Other names of splits, in lower case, and what they stand for. */
  splits: Record<string, string>;
  word(column: Column, row: number): string;
  counts(row: number): boolean;
  /** Whether a run is a repeat of its own: it counts, and is no other rank of a training. */
  repeats(row: number): boolean;
  page(row: number): string;
  /** Whether a run has no page of its own. */
  isOlder(row: number): boolean;
}

/** What `ledger/publish/site/run_units.py` writes of a run without a page of its own: HTML made by the build. */
interface OlderRun {
  title: string;
  content: string;
  toc: string;
  curves: Curves | null;
}

/** Address, title and text of a section of the handbook. */
type Section = [string, string, string];

/** What `ledger/publish/charts/curve_panels.py` writes for a run. */
interface Curves {
  /** Axes that every point has. */
  x: Partial<Record<string, number[]>>;
  /** A value for each point: null where none was logged, a word where JSON has no number for it. */
  series: Record<string, (number | string | null)[]>;
  /** Content and label of the data that a series was measured on. */
  on: Record<string, [string, string]>;
}

/** Points in the order in which they were logged. */
interface Line {
  name: string;
  xs: number[];
  ys: number[];
  /** The band around it, where it is a mean. */
  low?: number[];
  high?: number[];
}

/** What `ledger/publish/data/comparison_data.py` writes of a comparable group. */
interface GroupValues {
  id: string;
  total: number | null;
  freedom: number;
  count: number;
  repeated: { setting: number; values: number[]; lost?: number }[];
}

/** What `ledger/publish/data/comparison_data.py` writes. */
interface Compared {
  rows: number;
  newest: string;
  groups: GroupValues[];
  facts: (Column & { name: string; kind: string })[];
  changes: Column;
}

/** Runs that differ by seed only, with what their names share. */
interface ChosenSetting {
  rows: number[];
  name: string;
}

/** An answer of `ledger judge`; effects are positive where the judged setting is better. */
interface Judged {
  answer: "keep" | "discard" | "cannot tell";
  word: "better" | "worse" | "within noise" | "cannot tell";
  why: string;
  effect: number;
  low: number | null;
  high: number | null;
}

/** The same of two runs, or why there is none. */
interface Verdict {
  word: Judged["word"] | "not comparable";
  why: string;
  effect: number | null;
  low: number | null;
  high: number | null;
  /** Values of the judged setting, and of the other. */
  ours: number[];
  theirs: number[];
}

/** Horizontal values, and a column for each line: null where it breaks, undefined where it has no point. */
type Table = [number[], ...(number | null | undefined)[][]];

interface Answer {
  rows: number[] | null;
  words: string[];
  fields: string[];
  warnings: string[];
  error: string | null;
  /** The character of the error. */
  at?: number;
}

type Child = Node | string | null | undefined;

interface Ledger {
  runs(): Promise<Runs>;
  /** The newest runs alone, which are there first. */
  newestRuns(): Promise<Runs>;
  curves(id: string): Promise<Curves>;
  /** The page of a run that has none of its own; null where it is none of these. */
  older(id: string): Promise<OlderRun | null>;
  /** Takes what a script of data would bring. */
  arrive(name: string, value: unknown): void;
  comparison(): Promise<Compared>;
  handbook(): Promise<Section[]>;
  /** Pages that are no runs: what `ledger/publish/data/page_list.py` writes. */
  pages(): Promise<Section[]>;
  ask(data: Runs, text: string, again: () => void): Answer;
  element<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    attributes?: Record<string, unknown>,
    ...children: Child[]
  ): HTMLElementTagNameMap[Tag];
  number(value: number | null | undefined, digits?: number): string;
  duration(seconds: number | null): string;
  money(data: Runs, row: number): HTMLElement;
  minute(seconds: number): string;
  badge(status: string): HTMLElement;
  hash(): URLSearchParams;
  setHash(values: Record<string, unknown>): void;
  url(path: string): string;
}

/** Both ends of a range; one that is null is open. */
interface Ends {
  low: number | null;
  high: number | null;
}

/** How a chart of lines is drawn. */
interface View {
  /** Name of the horizontal axis. */
  axis: string;
  /** What all lines show. */
  title: string;
  logarithmic: boolean;
  /** The drawn sample of each line in the legend, whose colour and dash it has. */
  keys: Element[];
  /** Name of the charts whose pointers go together. */
  together: string;
  /** Gets the value of each line at the pointer. */
  show(values: (Reading | null)[]): void;
}

/** A value at the pointer; `elsewhere` is the place that it was logged at, where that is another. */
interface Reading {
  value: number;
  elsewhere: number | null;
}

type Key = number | string | null;

/** A column of the table of runs. */
interface RunColumn {
  id: string;
  title: string;
  /** Heading in the menu of columns. */
  group?: "Metrics" | "Params" | "Hardware";
  /** Second line of the heading. */
  sub?: string;
  detail?: string;
  /** Word before the value where a row is a card. */
  label?: string;
  css?: string;
  better?: "higher" | "lower" | null;
  /** Numbers that have a mean: of a result only runs that count have a say. */
  kind?: "result" | "amount";
  /** How a number of the column is written. */
  shown?(value: number): string;
  value(row: number): Key;
  /** Value in a file, where it is not the one to sort by. */
  plain?(row: number): Key;
  cell(row: number): Node | string;
}

interface TableState {
  q: string;
  /** Chosen words of each facet; the empty word stands for no value. */
  facets: Record<string, Set<string>>;
  /** Columns, the most important first; those with `-` downwards. */
  sort: string[];
  cols: string[];
  sel: Set<string>;
  group: "" | "setting";
  page: number;
}

interface KnownNames {
  columns: string[];
  usual: string[];
  runs: { has(id: string): boolean };
  words: Record<string, string[]>;
}

/** Words that runs can be narrowed down by, and the codes of each row. */
interface Facet {
  name: string;
  title: string;
  words: string[];
  codes: number[][];
}

interface FacetCounts {
  words: number[];
  none: number;
}

interface FacetAnswer {
  rows: number[];
  counts: Record<string, FacetCounts>;
}

interface MenuChoice {
  id: string;
  text: string;
  heading?: string;
  count?: number;
  chosen: boolean;
  choose(on: boolean): void;
}

interface Completion {
  text: string;
  label: string;
  kind: string;
}

/** What may replace the part of a query from one character to another. */
interface Completions {
  from: number;
  to: number;
  items: Completion[];
}

interface Vocabulary {
  names: string[];
  kindOf(name: string): string;
  valuesOf(name: string): string[];
}

interface RowActs {
  sort(id: string, first: string, more: boolean): void;
  /** Called when a tick changed; of `many` runs where it stands for several. */
  selected(many: boolean): void;
  /** Draws again and puts the focus on an element. */
  redraw(selector: string): void;
}

interface Window {
  __md_scope: URL;
  __md_hash(text: string): number;
  __md_get(key: string, store?: Storage, scope?: URL): any;
  __md_set(key: string, value: unknown, store?: Storage, scope?: URL): void;
  ledger: Ledger;
  ledgerDates: {
    /** Says the ages of all times that the page marks. */
    show(): void;
  };
  ledgerCharts: {
    /** Puts controls above the curves in a part of the page. */
    installAll(part: ParentNode): void;
    install(group: HTMLElement, axes: string[], linesOf: (figure: number, axis: string) => (Line | null)[]): Promise<() => void>;
  };
  ledgerColumns: {
    whole(head: unknown, parts: unknown[]): Runs;
    numbers(parts: unknown[]): any;
    facts(parts: unknown[]): Pick<Compared, "facts" | "changes">;
  };
  ledgerCompareCurves: { showCurves(holder: HTMLElement, data: Runs, settings: ChosenSetting[]): Promise<void> };
  ledgerCompareParts: {
    metricHead(metric: Metric): HTMLElement;
    scrollTable(label: string, heads: Child[][], lines: Node[], css?: string): HTMLElement;
  };
  ledgerComparison: {
    MOST: number;
    differences(data: Runs, rows: number[]): { params: string[]; parts: string[]; one: boolean };
    summary(data: Runs, rows: number[]): string[];
    named(data: Runs, text: string, limit: number): { rows: number[]; left: string[]; missing: string[] };
    settingsOf(data: Runs, rows: number[]): ChosenSetting[];
  };
  ledgerCurves: {
    axesOf(all: Curves[]): string[];
    bandOf(name: string, lines: (Line | null)[]): Line | null;
    lineOf(curves: Curves, axis: string, series: string, name: string): Line | null;
    seriesOf(all: Curves[]): string[];
    sharing(all: Curves[], name: string): { label: string; members: number[] }[];
    smooth(line: Line | null, keep: number): Line | null;
    tableOf(lines: (Line | null)[], positive: boolean): Table;
    obstacle(table: Table, positive: boolean): string;
    nearest(table: Table, column: number, at: number): number | null;
    valueAt(table: Table, column: number, at: number): Reading | null;
    ends(low: number, high: number): [number, number];
    lone(table: Table, column: number): number[];
    writtenLines(text: string, names: string[]): Line[];
  };
  ledgerStops: {
    rowsOf(text: string): (number | null)[][];
    stopsOf(values: (number | null)[]): number[];
    isOpen(range: Ends): boolean;
    stopsIn(stops: number[], range: Ends): { first: number; last: number } | null;
    inside(rows: (number | null)[][], ranges: Ends[]): boolean[];
    unknown(rows: (number | null)[][], ranges: Ends[]): number;
    write(names: string[], ranges: Ends[]): string;
    read(hash: string, names: string[]): { ranges: Ends[]; strange: string[] };
  };
  ledgerData(name: string, value: unknown): void;
  ledgerDiffering: {
    differing(
      data: Runs,
      rows: number[],
      compared: Compared | null,
      tableOf: (label: string, lines: Node[]) => HTMLElement,
    ): (Node | string)[];
  };
  ledgerResults: {
    results(data: Runs, rows: number[], tableOf: (label: string, lines: Node[]) => HTMLElement): Node[];
  };
  ledgerVerdict: {
    decide(
      ours: number[],
      theirs: number[],
      others: { total: number; freedom: number },
      question: { higher: boolean; trials: number },
    ): Judged;
    mean(values: number[]): number;
    tail(freedom: number, t: number): number;
    verdictOn(data: Runs, metric: Metric, group: GroupValues | undefined, row: number, against: number): Verdict;
  };
  ledgerVerdictBox: {
    isTraining(data: Runs, metric: Metric): boolean;
    verdictBox(data: Runs, settings: ChosenSetting[], compared: Compared | null): (Node | string)[];
  };
  ledgerFormatting: {
    number(value: number | null | undefined, digits?: number): string;
    duration(seconds: number | null): string;
    money(amount: number | null, currency: string): string;
    share(fraction: number): string;
    tick(value: number): string;
    minute(seconds: number): string;
  };
  ledgerLoader(fetchScript: (path: string, failed: () => void) => void): {
    arrive(name: string, value: unknown): void;
    load(name: string, path: string): Promise<any>;
  };
  ledgerPlot: {
    library(): Promise<unknown>;
    plot(place: HTMLElement, lines: (Line | null)[], view: View): () => void;
  };
  ledgerQuery: { ask(data: Runs, text: string, numbers: unknown): Omit<Answer, "error"> };
  ledgerSearchHits: {
    pieces(text: string, words: string[]): [string, boolean][];
    whereFound(data: Runs, row: number, asked: { words: string[]; fields: string[] }): string;
    sectionsWith(sections: Section[], words: string[]): Section[];
    excerpt(text: string, word: string): string;
  };
  ledgerCompletions: {
    completions(text: string, caret: number, vocabulary: Vocabulary): Completions;
    vocabularyOf(data: Runs, fields: string[]): Vocabulary;
  };
  ledgerCsv: { csvOf(lines: (Key | undefined)[][]): string };
  ledgerFacets: {
    UNFINISHED: string;
    facetsOf(data: Runs): Facet[];
    narrow(facets: Facet[], chosen: Record<string, Set<string>>, rows: number[]): FacetAnswer;
  };
  ledgerGrouping: {
    groupsOf(rows: number[], setting: (number | string)[]): number[][];
    spreadOf(values: (Key | undefined)[]): { count: number; mean: number; low: number; high: number } | null;
    spreadIn(
      column: RunColumn,
      rows: number[],
      counts: (row: number) => boolean,
    ): { count: number; mean: number; low: number; high: number } | null;
    keyOf(column: RunColumn, rows: number[], counts: (row: number) => boolean): Key;
  };
  ledgerMenu: {
    menu(title: string, choices: () => MenuChoice[]): { holder: HTMLDetailsElement; update(text: string): void };
  };
  ledgerMenus: {
    facetMenu(
      facet: Facet,
      now: () => { chosen: Set<string>; counts: FacetCounts },
      choose: (chosen: Set<string>) => void,
    ): { holder: HTMLDetailsElement; update(): void };
    columnMenu(
      columns: RunColumn[],
      shown: () => string[],
      choose: (ids: string[]) => void,
    ): { holder: HTMLDetailsElement; update(): void };
  };
  ledgerPreview: { installPreview(data: Runs, table: HTMLElement): () => void };
  ledgerQueryBox: {
    queryBox(
      data: Runs,
      ask: (text: string) => void,
    ): {
      holder: HTMLElement;
      hint: HTMLElement;
      input: HTMLInputElement;
      trouble: HTMLElement;
      tell(answer: Answer): void;
    };
  };
  ledgerRunColumns: {
    columnsOf(data: Runs): RunColumn[];
    usualOf(data: Runs): string[];
    firstOf(column: RunColumn): string;
    titleOf(column: RunColumn): string;
  };
  ledgerRunLines: {
    linesOf(
      data: Runs,
      state: TableState,
      acts: RowActs,
    ): {
      head(shown: RunColumn[]): HTMLElement;
      runLine(row: number, shown: RunColumn[], css?: string): HTMLElement;
      groupLines(rows: number[], shown: RunColumn[], columns: RunColumn[]): HTMLElement[];
    };
  };
  ledgerRunTable: {
    FACETS: string[];
    columnOf(sort: string): string;
    ordered(rows: number[], value: (row: number) => Key, down: boolean): number[];
    orderedBy(rows: number[], by: { value: (row: number) => Key; down: boolean }[]): number[];
    sortsAfter(sorts: string[], first: string, more: boolean): string[];
    read(from: URLSearchParams, known: KnownNames): TableState;
    write(state: TableState, known: KnownNames): Record<string, unknown>;
    gone(from: URLSearchParams, known: KnownNames): string[];
  };
  ledgerSharing: {
    tableOf(data: Runs, shown: RunColumn[], groups: number[][], settings: boolean): Key[][];
    csvButton(lines: () => Key[][]): HTMLElement;
    linkButton(): HTMLElement;
  };
}
