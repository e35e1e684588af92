import { describe, expect, it } from 'vitest'
import type { ContactRow, Device, LinkRow } from '../src/api.generated'
import type { Me } from '../src/api/types'
import { certificateState, deviceLines } from '../src/exchange/presence'
import { oneAtATime } from '../src/exchange/oneAtATime'
import { mayDo } from '../src/exchange/roles'

const READS = ['G']
const DAY_MS = 86_400_000
const device = (name: string) => ({ name, groups_in: ['G'], groups_out: ['G'] }) as unknown as Device
const link = (name: string, state: string, since_ms: number) => ({ principal: `device:${name}`, state, since_ms }) as LinkRow
const contact = (principal: string, last_ms: number) => ({ principal, last_ms, platform: 'ATAK-CIV', version: '5.4' }) as ContactRow

describe('devices', () => {
  it('are online as long as one of their links is up', () => {
    const [a] = deviceLines([device('A')], [link('A', 'down', 1), link('A', 'slow', 7), link('A', 'up', 9)], [], READS)
    expect(a).toMatchObject({ presence: 'online', at_ms: 7 })
  })
  it('are slow when no link of theirs keeps up', () => {
    expect(deviceLines([device('A')], [link('A', 'slow', 7)], [], READS)[0].presence).toBe('slow')
  })
  it('are offline since they were last heard, by whatever uid', () => {
    const [a] = deviceLines([device('A')], [link('B', 'up', 1)], [contact('A', 5), contact('A', 8), contact('A', 6)], READS)
    expect(a).toMatchObject({ presence: 'offline', at_ms: 8, software: 'ATAK-CIV 5.4' })
  })
  it('that never came say so', () => {
    expect(deviceLines([device('A')], [], [contact('AA', 5)], READS)[0]).toMatchObject({ presence: 'never', at_ms: null })
  })
  it('of groups that I do not read are not guessed about', () => {
    expect(deviceLines([device('A')], [], [], ['H'])[0].presence).toBe('hidden')
  })
  it('stand by name', () => {
    expect(deviceLines([device('B'), device('A')], [], [], READS).map((line) => line.device.name)).toEqual(['A', 'B'])
  })
})

describe('a certificate', () => {
  it('warns thirty days before its end', () => {
    expect(certificateState(31 * DAY_MS, 0)).toBe('good')
    expect(certificateState(29 * DAY_MS, 0)).toBe('near')
    expect(certificateState(5, 5)).toBe('over')
  })
})

describe('a role', () => {
  const me = (...roles: string[]) => ({ principal: { roles } }) as unknown as Me
  it('may what lesser ones may', () => {
    expect(mayDo(me('admin'), 'operator')).toBe(true)
    expect(mayDo(me('operator'), 'operator')).toBe(true)
    expect(mayDo(me('viewer'), 'operator')).toBe(false)
    expect(mayDo(me('operator'), 'admin')).toBe(false)
  })
  it('that is unknown may nothing', () => {
    expect(mayDo(me(), 'viewer')).toBe(false)
    expect(mayDo(null, 'viewer')).toBe(false)
  })
})

describe('asking one at a time', () => {
  it('shows an answer however fast the wishes come, and asks once more for all of them', async () => {
    const answers: (() => void)[] = []
    let asked = 0
    const again = oneAtATime(() => new Promise<void>((done) => (asked++, answers.push(done))))
    const wishes = [again(), again(), again()]
    expect(asked).toBe(1)
    answers[0]()
    await wishes[0]
    await Promise.resolve()
    expect(asked).toBe(2)
    answers[1]()
    await Promise.all(wishes)
    expect(asked).toBe(2)
  })

  it('goes on after one that failed', async () => {
    let asked = 0
    const again = oneAtATime(async () => {
      if (++asked === 1) throw new Error('gone')
    })
    const [first, second] = [again(), again()]
    await expect(first).rejects.toThrow('gone')
    await second
    expect(asked).toBe(2)
  })
})
