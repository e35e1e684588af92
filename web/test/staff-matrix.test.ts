import { describe, expect, it } from 'vitest'
import type { MatrixCell } from '../src/api.generated'
import { changesOf, isWithin, moved, rowBeside, rowsOf, spanOf, STEP_MS, ticksOf, windowOf } from '../src/staff/tasks/matrix'

const HOUR_MS = 3_600_000
const cell = (more: Partial<MatrixCell>): MatrixCell => ({
  id: 'a', unit: 'FOX', unit_name: 'FOX', title: '', verb: 'OBSRV', phase: '', start_ms: 0, end_ms: HOUR_MS, state: 'issued', verdict: 'open', reason: '', is_movable: true, heads: [],
  order: 'o', order_task: 'T1', proposal: null, proposal_from_ms: null, proposed_start_ms: null, proposed_end_ms: null, proposed_unit: null, proposed_unit_name: null, ...more,
})

describe('the matrix', () => {
  it('puts tasks that overlap into lanes of their own', () => {
    const rows = rowsOf([cell({}), cell({ id: 'b', start_ms: HOUR_MS / 2, end_ms: 2 * HOUR_MS }), cell({ id: 'c', start_ms: HOUR_MS, end_ms: 2 * HOUR_MS })])
    expect(rows.map((row) => row.lanes.map((lane) => lane.map(({ id }) => id)))).toEqual([[['a', 'c'], ['b']]])
  })

  it('moves in quarters of an hour and never makes a task shorter than one', () => {
    const span = spanOf(cell({}))!
    expect(moved(span, STEP_MS * 1.4, false)).toEqual({ start_ms: STEP_MS, end_ms: HOUR_MS + STEP_MS })
    expect(moved(span, -5 * HOUR_MS, true)).toEqual({ start_ms: 0, end_ms: STEP_MS })
    expect(spanOf(cell({ start_ms: null, end_ms: null }))).toBeNull()
  })

  it('gives a task to the unit of another row, and has a row for a unit that a FRAGO gives one', () => {
    const rows = rowsOf([cell({ proposed_unit: 'ELK', proposed_unit_name: 'Elk' }), cell({ id: 'b', unit: 'OWL', unit_name: 'OWL' })])
    expect(rows.map(({ name, lanes }) => [name, lanes.length])).toEqual([['FOX', 1], ['Elk', 0], ['OWL', 1]])
    expect([rowBeside(rows, 'FOX', 1), rowBeside(rows, 'FOX', -1), rowBeside(rows, 'OWL', 1)]).toEqual(['ELK', 'FOX', 'OWL'])
    expect(changesOf(cell({}), { start_ms: 0, end_ms: HOUR_MS }, 'OWL')).toEqual([{ path: 'tasks.T1.unit', new: 'OWL' }])
  })

  it('says the end before a start that lies beyond the old end', () => {
    const to = { start_ms: 2 * HOUR_MS, end_ms: 3 * HOUR_MS }
    expect(changesOf(cell({}), to).map(({ path }) => path)).toEqual(['tasks.T1.end_ms', 'tasks.T1.start_ms'])
    expect(changesOf(cell({}), { start_ms: 0, end_ms: 2 * HOUR_MS })).toEqual([{ path: 'tasks.T1.end_ms', new: 2 * HOUR_MS }])
  })

  it('goes over two weeks at most, and knows what lies elsewhere', () => {
    const near = cell({ start_ms: 5 * HOUR_MS, end_ms: 6 * HOUR_MS })
    const far = cell({ start_ms: 9000 * HOUR_MS, end_ms: 9001 * HOUR_MS })
    const frame = windowOf([near, far], 5 * HOUR_MS)
    expect(frame.end_ms - frame.start_ms).toBeLessThanOrEqual(6 * HOUR_MS)
    expect([near, far].map((one) => isWithin(spanOf(one)!, frame))).toEqual([true, false])
  })
  it('shows now, every cell and where drafts would put it', () => {
    const frame = windowOf([cell({ proposed_start_ms: 9 * HOUR_MS, proposed_end_ms: 10 * HOUR_MS })], 5 * HOUR_MS)
    expect(frame.start_ms).toBeLessThan(0)
    expect(frame.end_ms).toBeGreaterThan(10 * HOUR_MS)
    expect(ticksOf(frame).length).toBeLessThanOrEqual(15)
  })
})
