/** Calls of the staff's panels to the node; shapes come from the generated client. */
import { call } from '../api/client'
import type {
  Asset, AssetRow, DocumentRow, EditUnit, Facility, FacilityRow, FormRow, IncidentDetail, IncidentLine, IncidentRow, LineDraft, MedevacLines, MoveUnit, NeedRow, NewNote, NewUnit, Question, QuestionRow, ReportRow, ReportText, RequestRow, RfiAsked, RfiRow, StepTaken, TakeStep, UnitDetail, UnitRow, Written,
} from '../api.generated'
import { wholeRow } from './orbat/tree'

const one = (id: string) => encodeURIComponent(id)

/** Features that say what needs somebody now; and whose things the page can open. */
export const NEEDS = ['incidents', 'medevac', 'questions', 'reports'] as const
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
  orbat: async () => (await call<UnitRow[]>('GET', '/orbat')).map(wholeRow),
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
  writeReport: (report: Pick<ReportText, 'form' | 'unit' | 'values'> & Partial<ReportText>, file: boolean) => call<StepTaken>('POST', '/reports', { report, file }),
  document: (id: string) => call<DocumentRow>('GET', `/reports/${one(id)}/document`),
  /** A step about a thing of a feature. */
  step: (feature: string, { id, ...step }: TakeStep) => call<StepTaken>('POST', `/${THINGS[feature]}/${one(id)}/steps`, step),
  /** What needs somebody now, of all features; what is overdue comes first, then what waits longest. */
  needs: async () => {
    const rows = (await Promise.all(NEEDS.map((name) => call<NeedRow[]>('GET', `/needs/${name}`)))).flat()
    return rows.sort((a, b) => Number(b.is_overdue) - Number(a.is_overdue) || a.since_ms - b.since_ms)
  },
}
