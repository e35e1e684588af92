/** Calls of the staff's panels to the node; shapes come from the generated client. */
import { call } from '../api/client'
import type {
  AlertRow, AlertsSettled, AnswerOrder, AreaWatch, AskRollup, Asset, AssetRow, DocumentRow, DraftFrago, EditOrder, EditTask, EditUnit, EditWatch, Facility, FacilityRow, FormRow, HandoverLine, IncidentDetail, IncidentLine, IncidentRow, InForceRow, LineDraft, MatrixCell, MedevacLines, MoveUnit, NeedRow, NewNote, NewUnit, Order, OrderChange, OrderDetail, OrderFile, OrderRow, PatrolDraftRow, Question, QuestionRow, ReportRow, ReportText, RequestRow, RfiAsked, RfiRow, RollupRow, ShiftDocument, ShiftRow, SilenceWatch, StepOrder, StepTaken, StepTask, TakeStep, Task, TaskChanged, TaskRow, UnitDetail, UnitRow, WatchRow, Written,
} from '../api.generated'
import { pageI18n } from '../i18n'
import { wholeRow } from './orbat/tree'
import { whole } from './orders/whole'

const one = (id: string) => encodeURIComponent(id)
/** A path and its question; null is left out: as things are now. */
const ask = (path: string, asked: Record<string, string | number | boolean | null>) => {
  const said = Object.entries(asked).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]]))
  return said.length ? `${path}?${new URLSearchParams(said)}` : path
}

/** What the node prints speaks the page's language. */
const language = () => pageI18n().global.locale.value
/** Where the things of a feature lie, by the name that its needs say. */
const THINGS: Record<string, string> = { incidents: 'incidents', medevac: 'medevac/requests', questions: 'questions', rfis: 'rfis', reports: 'reports' }

/** A request for evacuation: title and the nine lines must be there. */
export type MedevacAsk = Pick<MedevacLines, 'title' | 'lines'> & Partial<MedevacLines>

/** A question for the board: what is left out has the node's default. */
export type NewQuestionText = Pick<Question, 'text' | 'kind' | 'priority'> & Partial<Omit<Question, 'tests'>> & { tests: { words: string[] }[] }

/** A line to be logged: what is left out has the node's default. */
export type NewLine = Partial<IncidentLine> & { text: string }

export const staff = {
  /** `tz`: how far the writer's local time is ahead of UTC, `+02:00`. */
  parse: (line: string, tz: string) => call<LineDraft>('GET', `/log/parse?${new URLSearchParams({ line, tz })}`),
  note: (note: NewNote) => call<Written>('POST', '/notes', note),
  /** `at_ms`: the tree as it stands then; null = now. */
  orbat: async (at_ms: number | null = null) => (await call<UnitRow[]>('GET', ask('/orbat', { at_ms }))).map(wholeRow),
  unit: (id: string) => call<UnitDetail>('GET', `/orbat/units/${one(id)}`),
  makeUnit: (unit: Partial<NewUnit['unit']>) => call<StepTaken>('POST', '/orbat/units', { unit }),
  editUnit: ({ id, ...edit }: EditUnit) => call<StepTaken>('POST', `/orbat/units/${one(id)}`, edit),
  moveUnit: ({ id, ...move }: MoveUnit) => call<StepTaken>('POST', `/orbat/units/${one(id)}/parent`, move),
  removeUnit: (id: string) => call<StepTaken>('DELETE', `/orbat/units/${one(id)}`),
  incidents: () => call<IncidentRow[]>('GET', '/incidents'),
  incident: (id: string) => call<IncidentDetail>('GET', `/incidents/${one(id)}`),
  logLine: (line: NewLine, happened_at_ms?: number) => call<StepTaken>('POST', '/incidents', { line, ...(happened_at_ms === undefined ? {} : { happened_at_ms }) }),
  requests: () => call<RequestRow[]>('GET', '/medevac/requests'),
  askMedevac: (request: MedevacAsk) => call<StepTaken>('POST', '/medevac/requests', { request }),
  assets: () => call<AssetRow[]>('GET', '/medevac/assets'),
  keepAsset: (asset: { name: string } & Partial<Asset>) => call<StepTaken>('POST', '/medevac/assets', { asset }),
  facilities: () => call<FacilityRow[]>('GET', '/medevac/facilities'),
  keepFacility: (facility: { name: string } & Partial<Facility>) => call<StepTaken>('POST', '/medevac/facilities', { facility }),
  questions: () => call<QuestionRow[]>('GET', '/questions'),
  ask: (question: NewQuestionText) => call<StepTaken>('POST', '/questions', { question }),
  rfis: () => call<RfiRow[]>('GET', '/rfis'),
  askRfi: (request: Pick<RfiAsked, 'question' | 'to'> & Partial<RfiAsked>) => call<StepTaken>('POST', '/rfis', { request }),
  forms: () => call<FormRow[]>('GET', '/forms'),
  reports: () => call<ReportRow[]>('GET', '/reports'),
  /** `file`: it must be whole and is handed in; else it is a draft. */
  patrolDraft: (uid: string, from_ms: number, until_ms: number) => call<PatrolDraftRow>('GET', `/drafts/patrol?${new URLSearchParams({ uid, from_ms: String(from_ms), until_ms: String(until_ms) })}`),
  writeReport: (report: Pick<ReportText, 'form' | 'unit' | 'values'> & Partial<ReportText>, file: boolean) => call<StepTaken>('POST', '/reports', { report, file }),
  /** What a level can say now, from the reports of those below it. */
  rollup: ({ form, ...span }: AskRollup) => call<RollupRow>('GET', `/rollups/${one(form)}?${new URLSearchParams({ unit: span.unit, from_ms: String(span.from_ms), until_ms: String(span.until_ms), language: span.language })}`),
  fileRollup: (rollup: AskRollup, to: string, replaces: string) => call<StepTaken>('POST', '/rollups', { rollup, to, replaces }),
  document: (id: string) => call<DocumentRow>('GET', ask(`/reports/${one(id)}/document`, { language: language() })),
  /** Those that are not closed. */
  /** `at_ms`: as they stood then; null = now. */
  alerts: (at_ms: number | null) => call<AlertRow[]>('GET', ask('/alerts', { at_ms })),
  /** Calls for help that somebody has closed: they may still be sent. */
  closedCalls: (at_ms: number | null) => call<AlertRow[]>('GET', ask('/alerts', { state: 'closed', trigger: 'emergency', limit: 50, at_ms })),
  closedAlerts: (at_ms: number | null) => call<AlertRow[]>('GET', ask('/alerts', { state: 'closed', limit: 50, at_ms })),
  settleAlert: (id: string, action: 'acknowledge' | 'close', seen: string[]) => call<StepTaken>('POST', `/alerts/${one(id)}`, { action, seen }),
  settleAlerts: (ids: readonly string[], action: 'acknowledge' | 'close') => call<AlertsSettled>('POST', '/alerts', { ids, action }),
  watches: (at_ms: number | null) => call<WatchRow[]>('GET', ask('/watches', { at_ms })),
  makeWatch: (watch: AreaWatch | SilenceWatch) => call<StepTaken>('POST', '/watches', { watch }),
  editWatch: ({ id, ...edit }: EditWatch) => call<StepTaken>('POST', `/watches/${one(id)}`, edit),
  turnWatch: (id: string, action: 'pause' | 'resume') => call<StepTaken>('POST', `/watches/${one(id)}/state`, { action }),
  removeWatch: (id: string) => call<StepTaken>('DELETE', `/watches/${one(id)}`),
  orders: () => call<OrderRow[]>('GET', '/orders'),
  order: (id: string) => call<OrderDetail>('GET', `/orders/${one(id)}`),
  makeOrder: (order: Order) => call<StepTaken>('POST', '/orders', { order }),
  importOrder: (c2sim: string) => call<StepTaken>('POST', '/orders/import', { c2sim }),
  editOrder: ({ id, ...edit }: EditOrder) => call<StepTaken>('POST', `/orders/${one(id)}`, edit),
  stepOrder: ({ id, ...step }: StepOrder) => call<StepTaken>('POST', `/orders/${one(id)}/step`, step),
  answerOrder: ({ id, ...answer }: AnswerOrder) => call<StepTaken>('POST', `/orders/${one(id)}/answer`, answer),
  /** `changes`: single values by path; what stands there now the node knows. */
  draftFrago: ({ id, ...wanted }: Omit<DraftFrago, 'changes'> & { changes?: Omit<OrderChange, 'old'>[] }) => call<StepTaken>('POST', `/orders/${one(id)}/frago`, wanted),
  inForce: async (id: string) => {
    const row = await call<InForceRow>('GET', `/orders/${one(id)}/in-force`)
    return { ...row, order: whole(row.order) }
  },
  orderFile: (id: string, format: string, at_ms: number | null, in_force: boolean) =>
    call<OrderFile>('GET', ask(`/orders/${one(id)}/file`, { format, in_force, at_ms, language: language() })),
  tasks: () => call<TaskRow[]>('GET', '/tasks'),
  matrix: () => call<MatrixCell[]>('GET', '/task-matrix'),
  makeTask: (task: Pick<Task, 'unit' | 'verb'> & Partial<Task>) => call<TaskChanged>('POST', '/tasks', { task }),
  editTask: ({ id, ...edit }: EditTask) => call<TaskChanged>('POST', `/tasks/${one(id)}`, edit),
  stepTask: ({ id, ...step }: StepTask) => call<TaskChanged>('POST', `/tasks/${one(id)}/step`, step),
  handover: () => call<HandoverLine[]>('GET', '/handover'),
  handovers: () => call<ShiftRow[]>('GET', '/handovers'),
  offerHandover: (remarks: string) => call<StepTaken>('POST', '/handovers', { remarks }),
  takeHandover: (id: string, remarks: string) => call<StepTaken>('POST', `/handovers/${one(id)}/take`, { remarks }),
  withdrawHandover: (id: string) => call<StepTaken>('POST', `/handovers/${one(id)}/withdraw`, {}),
  handoverDocument: (id: string) => call<ShiftDocument>('GET', ask(`/handovers/${one(id)}/document`, { language: language() })),
  /** A step about a thing of a feature. */
  step: (feature: string, { id, ...step }: TakeStep) => call<StepTaken>('POST', `/${THINGS[feature]}/${one(id)}/steps`, step),
  /** What needs somebody, of all features; what is overdue comes first, then what waits longest. `at_ms`: at that time; null = now. */
  needs: (at_ms: number | null) => call<NeedRow[]>('GET', ask('/needs', { at_ms })),
}
