import { describe, expect, it } from 'vitest'
import type { LineDraft, LinePart, Unit, UnitRow } from '../src/api.generated'
import { chipsOf, confirmedOf, nextChoice, offsetText } from '../src/staff/line/draft'
import { changesOf, formOf, found, newUnit, possibleParents, symbolOf, trackedBy, treeOf, wholeRow } from '../src/staff/orbat/tree'

const NOW_MS = Date.UTC(2026, 10, 25, 12, 0)
const AT_MS = Date.UTC(2026, 10, 25, 9, 15)

function part(field: LinePart['field'], text: string, value: Record<string, unknown> | null, more: Partial<LinePart> = {}): LinePart {
  return { field, start: 0, end: text.length, text, value, confidence: 'sure', alternatives: [], note: null, problem: null, ...more }
}
const place = { sort: 'offset', name: 'OP 1', lat_deg: 43.05, lon_deg: 77.05 }
const draft = (...parts: LinePart[]): LineDraft => ({ line: ' SALUTE NW of OP 1 0915 ', parts, remainder: '' })

describe('a typed line', () => {
  const unsure = part('place', 'NW of OP 1', place, {
    confidence: 'unsure',
    note: 'no distance was given',
    alternatives: [{ label: '500 m', value: { ...place, lat_deg: 43.054 }, field: null }],
  })

  it('says local time as the node wants it', () => {
    expect([offsetText(0), offsetText(-120), offsetText(210), offsetText(-345)]).toEqual(['+00:00', '+02:00', '-03:30', '+05:45'])
  })

  it('is shown as chips, and asks where it is unsure', () => {
    const chips = chipsOf(draft(part('kind', 'SALUTE', { kind: 'salute' }), unsure, part('time', '0915', { sort: 'at', at_ms: AT_MS })), new Map(), NOW_MS)
    expect(chips.map(({ label, state }) => [label, state])).toEqual([['SALUTE', 'sure'], ['OP 1 · 43T FH 6695 6840', 'unsure'], ['0915Z', 'sure']])
    expect(chips[1].choices.map(({ label }) => label)).toEqual(['OP 1 · 43T FH 6695 6840', '500 m'])
    const chosen = new Map([[chips[1].key, '500 m']])
    expect(chipsOf(draft(unsure), chosen, NOW_MS)[0]).toMatchObject({ label: '500 m', state: 'chosen' })
  })

  it('offers the kinds that are near one after the other, and logs the line as the one that was chosen', () => {
    const near = part('kind', '', { kind: 'spot' }, { start: 0, end: 0, confidence: 'unsure', alternatives: [{ label: 'incident', value: { kind: 'incident' }, field: null }, { label: 'contact_lost', value: { kind: 'contact_lost' }, field: null }] })
    let chosen = new Map<string, string>()
    const taken = Array.from({ length: 4 }, () => {
      const [chip] = chipsOf(draft(near), chosen, NOW_MS)
      chosen = new Map([[chip.key, nextChoice(chip).label]])
      return [nextChoice(chip).label, confirmedOf(draft(near), chosen, NOW_MS).line?.category]
    })
    expect(taken).toEqual([['INCIDENT', 'incident'], ['CONTACT LOST', 'contact_lost'], ['SPOT', 'spot'], ['INCIDENT', 'incident']])
    expect(confirmedOf(draft(near), new Map(), NOW_MS).line).toBeUndefined()
  })

  it('becomes a line of the workflow when a post must be told, whatever its kind', () => {
    const told = part('to', 'duty officer', { name: 'Duty Officer', id: null })
    expect(confirmedOf(draft(part('precedence', 'IMMEDIATE', { precedence: 'immediate' }), told), new Map(), NOW_MS).line).toEqual({ text: 'SALUTE NW of OP 1 0915', precedence: 'O', tell: ['duty_officer'] })
    expect(confirmedOf(draft(part('to', 'FOX', { name: 'FOX', id: null })), new Map(), NOW_MS).line).toBeUndefined()
  })

  it('takes no grid and no time that nobody was sure of', () => {
    const late = part('time', '0915', { sort: 'at', at_ms: AT_MS }, { confidence: 'unsure' })
    expect(confirmedOf(draft(unsure, late), new Map(), NOW_MS)).toEqual({ text: 'SALUTE NW of OP 1 0915' })
    const chosen = new Map([['place:NW of OP 1:0', '500 m']])
    expect(confirmedOf(draft(unsure, late), chosen, NOW_MS).text).toMatch(/^SALUTE NW of OP 1 0915 \[43T FH \d{4} \d{4}\]$/)
  })

  it('leaves out what somebody left out, though it was sure or chosen, and offers it only where it matters', () => {
    const sure = draft(part('kind', 'SALUTE', { kind: 'salute' }), part('place', 'OP 1', place), part('size', '4 pax', { count: 4 }))
    expect(chipsOf(sure, new Map(), NOW_MS).map(({ optional }) => optional)).toEqual([true, true, false])
    expect(confirmedOf(sure, new Map(), NOW_MS).line?.place).toMatchObject({ lat_deg: 43.05 })
    const left_out = new Map([['place:OP 1:0', null]])
    expect(chipsOf(sure, left_out, NOW_MS)[1]).toMatchObject({ label: 'OP 1 · 43T FH 6695 6840', state: 'left-out', optional: true })
    expect(confirmedOf(sure, left_out, NOW_MS)).toEqual({ text: 'SALUTE NW of OP 1 0915', line: { text: 'SALUTE NW of OP 1 0915', category: 'salute' } })
    expect(confirmedOf(sure, new Map([['kind:SALUTE:0', null]]), NOW_MS).line).toBeUndefined()
    const unsure_out = chipsOf(draft(unsure), new Map([['place:NW of OP 1:0', null]]), NOW_MS)[0]
    expect([unsure_out.state, chipsOf(draft(unsure), new Map(), NOW_MS)[0].optional]).toEqual(['left-out', false])
  })

  it('carries the time when it happened, never one that is still to come', () => {
    const at = (value: Record<string, unknown>) => confirmedOf(draft(part('time', '0915', value)), new Map(), NOW_MS).happened_at_ms
    expect(at({ sort: 'at', at_ms: AT_MS })).toBe(AT_MS)
    expect(at({ sort: 'period', from_ms: AT_MS, until_ms: NOW_MS })).toBe(AT_MS)
    expect(at({ sort: 'at', at_ms: AT_MS, planned: true })).toBeUndefined()
    expect(at({ sort: 'at', at_ms: NOW_MS + 60_000 })).toBeUndefined()
  })

  it('does not repeat a grid that was typed in full, and shows what is wrong', () => {
    const grid = part('place', '43TFH66946840', { sort: 'grid', lat_deg: 43.05, lon_deg: 77.05 })
    expect(confirmedOf(draft(grid), new Map(), NOW_MS).text).toBe('SALUTE NW of OP 1 0915')
    const wrong = part('time', '2575', null, { problem: 'minutes end at 59' })
    expect(chipsOf(draft(wrong), new Map(), NOW_MS)[0]).toMatchObject({ state: 'wrong', why: 'minutes end at 59', choices: [] })
    expect(chipsOf(draft(part('kind', '', { kind: 'note' }, { confidence: 'unsure' })), new Map(), NOW_MS)).toEqual([])
  })
})

const BLANK: Unit = {
  name: '', short: null, nation: null, sidc: null, echelon: null, branch: null, callsigns: [], parents: [], strength: null,
  equipment: [], supplies: [], readiness: null, caveats: [], trackers: [], remarks: '',
}
function row(id: string, depth: number, unit: Partial<Unit> = {}): UnitRow {
  const label = { policy: '', classification: '', releasable_to: [], groups: [], caveats: [], redacted_to: [], informative: [] }
  return { id, depth, parent: null, unit: { ...BLANK, name: id, ...unit }, problem: '', act: '', words: {}, conflicts: 0, heads: [], changed_at_ms: 0, changed_by: '', label }
}

describe('the entered order of battle', () => {
  const rows = [row('bde', 0), row('bn 1', 1), row('coy a', 2), row('coy b', 2), row('bn 2', 1), row('free', 0)]

  it('becomes a tree by depth', () => {
    const [bde, free] = treeOf(rows)
    expect(bde.children!.map((one) => one.key)).toEqual(['bn 1', 'bn 2'])
    expect(bde.children![0].children!.map((one) => one.key)).toEqual(['coy a', 'coy b'])
    expect([free.key, free.children]).toEqual(['free', undefined])
  })

  it('has every field, though the node leaves out those with their default', () => {
    const bare = { ...row('a', 0), unit: { name: 'a', strength: { present: 3 }, readiness: { reason: 'fuel' } } as unknown as Unit }
    expect(wholeRow({ ...bare, parent: { unit: 'b' } as UnitRow['parent'] })).toMatchObject({
      parent: { unit: 'b', relation: 'ORGANIC' },
      unit: { trackers: [], caveats: [], strength: { authorised: 0, present: 3 }, readiness: { status: 'FULL', reason: 'fuel' } },
    })
  })

  it('offers no place under the unit itself', () => {
    expect(possibleParents(rows, 'bn 1').map(({ id }) => id)).toEqual(['bde', 'bn 2', 'free'])
    expect(possibleParents(rows, 'free').map(({ id }) => id)).not.toContain('free')
    expect(found(rows, 'COY b').map(({ id }) => id)).toEqual(['coy b'])
  })

  it('draws an echelon where no symbol was given, and finds trackers', () => {
    expect(symbolOf({ ...BLANK, echelon: 'BATTALION' })).toBe('10031000160000000000')
    expect(symbolOf({ ...BLANK, sidc: '1'.repeat(20) })).toBe('1'.repeat(20))
    const entity_of = new Map([['cot:A-1', 'e1'], ['name:ptl 3', 'e2']])
    expect(trackedBy({ ...BLANK, trackers: ['cot:A-9', 'cot:A-1'] }, entity_of)).toBe('e1')
    expect(trackedBy({ ...BLANK, callsigns: ['PTL 3'] }, entity_of)).toBe('e2')
    expect(trackedBy({ ...BLANK, name: 'x' }, entity_of)).toBeNull()
  })

  it('sends of a form only what was filled in or changed', () => {
    const form = { ...formOf(null), name: ' 1 Mtn Bn ', nation: 'ita', present: '112' }
    expect(newUnit(form, 'bde')).toEqual({ name: '1 Mtn Bn', nation: 'ITA', strength: { authorised: 0, assigned: 0, present: 112 }, parents: [{ unit: 'bde', relation: 'ORGANIC' }] })
    const before: Unit = { ...BLANK, name: 'A Coy', readiness: { status: 'FULL', reason: '', notice_to_move_min: 30, assessed_at_ms: null } }
    expect(changesOf(formOf(before), before)).toEqual({})
    expect(changesOf({ ...formOf(before), status: 'PARTLY', short: 'A' }, before)).toEqual({ short: 'A', readiness: { status: 'PARTLY', reason: '', notice_to_move_min: 30, assessed_at_ms: null } })
    expect(changesOf({ ...formOf(before), status: '' }, before)).toEqual({ readiness: null })
  })
})
