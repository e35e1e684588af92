import { describe, expect, it } from 'vitest'
import type { Order } from '../src/api.generated'
import { bare, blankOrder, changed, nextId, whole } from '../src/staff/orders/order'

describe('an order that is written', () => {
  it('has every field, though the node leaves out what has its default', () => {
    const order = whole({ kind: 'OPORD', title: 'Cedar', tasks: [{ id: 'T1', unit: 'FOX', verb: 'OBSRV' }] } as Order)
    expect(order.tasks[0].start_ms).toBeNull()
    expect(order.situation.threat).toBe('')
    expect(bare(order)).toEqual({ kind: 'OPORD', title: 'Cedar', tasks: [{ id: 'T1', unit: 'FOX', verb: 'OBSRV', priority: 5 }], situation: {}, mission: {}, execution: {}, sustainment: {}, command_signal: {}, warning: {}, remind_after_min: 15, escalate_after_min: 30, escalate_to: 'duty_officer' })
  })

  it('sends only the fields that were changed, and null for what was emptied', () => {
    const before = { ...blankOrder('OPORD'), place: 'Almaty' }
    const after = { ...before, place: '', title: 'Cedar' }
    expect(changed(before, after)).toEqual({ title: 'Cedar', place: null })
    expect(changed(before, { ...before })).toEqual({})
  })

  it('sends lines of a list without blanks around them and without empty ones', () => {
    const order = { ...blankOrder('OPORD'), title: 'Cedar' }
    order.command_signal.pace = ['radio ', '', ' runner', '']
    expect(bare(order).command_signal.pace).toEqual(['radio', 'runner'])
    order.command_signal.pace = ['', ' ']
    expect(bare(order).command_signal.pace).toBeUndefined()
  })

  it('numbers rows', () => {
    expect(nextId('T', [{ id: 'T1' }, { id: 'T3' }])).toBe('T2')
  })
})
