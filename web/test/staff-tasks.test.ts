import { describe, expect, it } from 'vitest'
import { spanOf, valueText } from '../src/staff/reports/form'
import { areasOf, taskOf } from '../src/staff/tasks/conditions'

const NOW_MS = Date.UTC(2026, 10, 25, 12, 0, 30)
const HOUR_MS = 3_600_000
const areas = areasOf([{ shape: 'circle', name: 'PASS', points: [[43.2, 77.2]], radius_m: 200 }, { shape: 'line', name: 'ROAD', points: [[43, 77]] }, null])

describe('the form of a task', () => {
  it('takes a drawn area by its name and a place as a circle, due when the task ends', () => {
    const { task, wrong } = taskOf({ unit: 'FOX', verb: 'PATROL', hours: '2', reach: 'PASS', stay_out: '43.3, 77.3', report: '30' }, areas, NOW_MS)
    expect(wrong).toBeNull()
    expect(task.end_ms).toBe(task.start_ms! + 2 * HOUR_MS)
    expect(task.conditions).toEqual([
      { kind: 'reach', area: { name: 'PASS', points: [[43.2, 77.2]], radius_m: 200 }, by_ms: task.end_ms },
      { kind: 'stay_out', area: { name: '43.3, 77.3', points: [[43.3, 77.3]], radius_m: 500 } },
      { kind: 'report', minutes: 30 },
    ])
  })

  it('says which words are no place, and needs no condition', () => {
    expect(taskOf({ unit: 'FOX', verb: 'PATROL', reach: 'ROAD' }, areas, NOW_MS).wrong).toBe('ROAD')
    expect(taskOf({ unit: 'FOX', verb: 'REST' }, areas, NOW_MS)).toEqual({ task: { unit: 'FOX', verb: 'REST', title: '' }, wrong: null })
  })
})

describe('a roll-up', () => {
  it('takes in what was said a moment ago', () => {
    const { from_ms, until_ms } = spanOf(NOW_MS, 24)
    expect([until_ms > NOW_MS, until_ms - from_ms]).toEqual([true, 24 * HOUR_MS])
    expect([valueText(0), valueText(''), valueText(null)]).toEqual(['0', '–', '–'])
  })
})
