import { describe, expect, it } from 'vitest'
import type { IncidentRow, QuestionRow, RequestRow } from '../src/api.generated'
import { blanksOf as lineBlanks, columnsOf as lineColumns } from '../src/staff/incidents/board'
import { blanksOf as requestBlanks, clocksOf, columnsOf as requestColumns, requestOf } from '../src/staff/medevac/desk'
import { blanksOf as questionBlanks, ordered, questionOf } from '../src/staff/questions/board'
import { filled } from '../src/staff/steps/blanks'

function line(id: string, more: Partial<IncidentRow> = {}): IncidentRow {
  return { id, state: 'received', precedence: 'R', happened_at_ms: 0, tellings: [], deeds: [], actions: [], heads: [], fields: {}, ...more } as unknown as IncidentRow
}
const telling = (role: string, ack_at_ms: number | null) => ({ role, since_ms: 0, due_ms: 1, told_at_ms: null, ack_at_ms, ack_by: null })

describe('lines of the workflow', () => {
  it('stand by state, the urgent ones first', () => {
    const columns = lineColumns([line('a'), line('b', { precedence: 'O', happened_at_ms: 9 }), line('c', { state: 'closed' }), line('d', { state: 'merged' })])
    expect(columns.get('received')!.map(({ id }) => id)).toEqual(['b', 'a'])
    expect(columns.get('closed')!.map(({ id }) => id)).toEqual(['c'])
    expect([...columns.values()].flat()).toHaveLength(3)
  })

  it('offer only posts that wait, and only posts that were not named', () => {
    const row = line('a', { tellings: [telling('duty_officer', 5), telling('commander', null)] })
    expect(lineBlanks('ack', row)![0].choices).toEqual(['commander'])
    expect(lineBlanks('tell', row)![0].choices).toEqual(['watch_officer', 'chief_of_operations'])
    expect(lineBlanks('done', row)).toBeNull()
    expect(lineBlanks('merge', row)).toBeNull()
  })
})

describe('the MEDEVAC desk', () => {
  const clock = (mark: string, due_ms: number, done_at_ms: number | null) => ({ mark, title: mark, from_ms: 0, due_ms, done_at_ms, is_late: false, is_from_request: false })
  const request = (id: string, more: object = {}) => ({ id, state: 'requested', casualties: [], next_due_ms: null, actions: [], ...more }) as unknown as RequestRow

  it('shows of each clock the one that presses most', () => {
    const row = request('a', { casualties: [{ clocks: [clock('first_aid', 10, 5), clock('mtf1', 60, null)] }, { clocks: [clock('first_aid', 20, null), clock('mtf1', 50, null)] }] })
    expect(clocksOf(row).map(({ mark, due_ms }) => [mark, due_ms])).toEqual([['first_aid', 20], ['mtf1', 50]])
  })

  it('puts what is due first on top, and cancelled ones among the closed', () => {
    const columns = requestColumns([request('a', { next_due_ms: 9 }), request('b', { next_due_ms: 3 }), request('c', { state: 'cancelled' })])
    expect(columns.get('requested')!.map(({ id }) => id)).toEqual(['b', 'a'])
    expect(columns.get('closed')!.map(({ id }) => id)).toEqual(['c'])
  })

  it('approves only with an asset that is there, and delivers only to what is open', () => {
    const assets = [{ id: 'a', asset: { name: 'A' } }, { id: 'b', asset: { name: 'B', status: 'down' } }] as unknown as Parameters<typeof requestBlanks>[2]
    expect(requestBlanks('approve', request('x'), assets, [])![0].choices).toEqual(['a'])
    expect(requestBlanks('deliver', request('x'), assets, [])).toBeNull()
    expect(requestBlanks('launch', request('x'), [], [])).toEqual([])
  })

  it('makes a request of a form, and none of a place that cannot be read', () => {
    expect(requestOf({ title: 'PTL 3', place: '43.05, 77.05', urgent: '1' })).toEqual({ title: 'PTL 3', lines: { urgent: '1' }, place: { lat_deg: 43.05, lon_deg: 77.05, ce_m: null } })
    expect(requestOf({ title: 'PTL 3', place: 'behind the hill', urgent: '1' })).toBeNull()
  })
})

describe('the board of questions', () => {
  const question = (id: string, more: object = {}) => ({ id, state: 'open', hits: [], waiting: 0, priority: 2, left_ms: null, ...more }) as unknown as QuestionRow

  it('shows first what waits for a look, then what is due', () => {
    const rows = [question('closed', { state: 'closed', waiting: 3 }), question('late', { left_ms: 5 }), question('hit', { waiting: 1 }), question('calm')]
    expect(ordered(rows).map(({ id }) => id)).toEqual(['hit', 'late', 'calm', 'closed'])
  })

  it('tests each phrase by itself', () => {
    expect(questionOf({ text: 'Open?', kind: 'PIR', priority: '1', words: 'landslide, road blocked,', hours: '2' }, 1000)).toEqual({
      text: 'Open?', kind: 'PIR', priority: 1, tests: [{ words: ['landslide'] }, { words: ['road', 'blocked'] }], ltiov_ms: 7_201_000,
    })
  })

  it('counts from a past time when it looks back, whatever its start', () => {
    const fields = { text: 'Open?', kind: 'PIR', priority: '1', words: 'ice', back: '12', from: '1' }
    expect(questionOf(fields, 50_000_000).from_ms).toBe(50_000_000 - 12 * 3_600_000)
    expect(questionOf({ ...fields, back: '' }, 50_000_000).from_ms).toBe(53_600_000)
  })

  it('lets nobody answer without a source', () => {
    expect(questionBlanks('answer', question('a'))).toBeNull()
    expect(questionBlanks('close', question('a'))).toEqual([])
  })

  it('sends only what was filled in', () => {
    expect(filled({ a: ' x ', b: '', c: 3 })).toEqual({ a: 'x', c: '3' })
  })
})
