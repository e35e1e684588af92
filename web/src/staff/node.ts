/** Calls of the staff's panels to the node; shapes come from the generated client. */
import { call } from '../api/client'
import type { EditUnit, LineDraft, MoveUnit, NewNote, NewUnit, UnitChanged, UnitDetail, UnitRow, Written } from '../api.generated'

const one = (id: string) => encodeURIComponent(id)

export const staff = {
  /** `tz`: how far the writer's local time is ahead of UTC, `+02:00`. */
  parse: (line: string, tz: string) => call<LineDraft>('GET', `/log/parse?${new URLSearchParams({ line, tz })}`),
  note: (note: NewNote) => call<Written>('POST', '/notes', note),
  orbat: () => call<UnitRow[]>('GET', '/orbat'),
  unit: (id: string) => call<UnitDetail>('GET', `/orbat/units/${one(id)}`),
  makeUnit: (unit: Partial<NewUnit['unit']>) => call<UnitChanged>('POST', '/orbat/units', { unit }),
  editUnit: ({ id, ...edit }: EditUnit) => call<UnitChanged>('POST', `/orbat/units/${one(id)}`, edit),
  moveUnit: ({ id, ...move }: MoveUnit) => call<UnitChanged>('POST', `/orbat/units/${one(id)}/parent`, move),
  removeUnit: (id: string) => call<UnitChanged>('DELETE', `/orbat/units/${one(id)}`),
}
