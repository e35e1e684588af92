import { createApp, effectScope, nextTick, shallowRef } from 'vue'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../src/api/types'
import { useDeeds, useLive } from '../src/staff/useLive'
import { DESK, type Desk } from '../src/store/desk'

const act = (id: string, action: string) => ({ id, kind: 'act', body: { action } }) as unknown as Entry
const paper = (id: string, type: string) => ({ id, kind: 'paper', body: { type } }) as unknown as Entry

/** What is read how often, at a desk whose journal brings these lines one after the other; nothing is read by the clock. */
async function readings(use: (read: () => Promise<number>) => unknown, lines: Entry[][]): Promise<number[]> {
  const entries = shallowRef<Entry[]>([])
  const desk = { entries } as unknown as Desk
  let read = 0
  const seen: number[] = []
  const scope = effectScope()
  createApp({}).provide(DESK, desk).runWithContext(() => scope.run(() => use(async () => ++read)))
  for (const some of lines) {
    await nextTick()
    entries.value = [...entries.value, ...some]
    for (let turn = 0; turn < 5; turn++) await nextTick()
    seen.push(read)
  }
  scope.stop()
  return seen
}

describe('rows that somebody else changes', () => {
  it('are read again when the journal brings an act that changes them', async () => {
    const missions = (read: () => Promise<number>) => useDeeds(read, ['mission.'])
    expect(await readings(missions, [[act('1', 'user.add')], [act('2', 'mission.create')], [paper('3', 'mission.x')]])).toEqual([1, 2, 2])
  })

  it('are read again for one paper among many other lines, too', async () => {
    const many = Array.from({ length: 60 }, (_, n) => act(`a${n}`, 'link.up'))
    const tasks = (read: () => Promise<number>) => useLive(read, 'tasks.')
    expect(await readings(tasks, [many, [paper('1', 'tasks.task'), ...many.map((one) => ({ ...one, id: `${one.id}b` }))]])).toEqual([1, 2])
  })
})
