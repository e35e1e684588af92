import { ref } from 'vue'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../src/api/types'
import type { Desk } from '../src/store/desk'
import { Rooms } from '../src/store/rooms'

let number = 0
function line(room: string, room_name: string, to: string[], author = 'device:FOX'): Entry {
  number += 1
  const body = { text: 'x', room, room_name, to: to.map((value) => ({ scheme: 'callsign', value })) }
  return { id: String(number), kind: 'note', author, received_at_ms: number, happened_at_ms: number, body } as unknown as Entry
}
const roomsOf = (...entries: Entry[]) =>
  new Rooms({ entries: ref(entries), me: ref({ principal: { id: 'operator' } }), clock: { now_ms: () => 0 } } as unknown as Desk)

describe('Rooms', () => {
  const byPhone = line('uid-17', 'QYRAN 17', ['QYRAN 17'])
  const byNode = line('QYRAN 17', 'QYRAN 17', ['QYRAN 17'], 'node')

  it('has one room with a person, whether a phone wrote to the uid or the node to the callsign', () => {
    const rooms = roomsOf(byPhone, byNode)
    expect(rooms.all.value).toEqual(['All Chat Rooms', 'QYRAN 17'])
    rooms.choose('uid-17')
    expect(rooms.current.value).toBe('QYRAN 17')
    expect(rooms.lines.value).toEqual([byPhone, byNode])
    expect(rooms.addressees()).toEqual(['QYRAN 17'])
  })

  it('does not take a group for the person of its name', () => {
    const group = line('QYRAN 17', 'QYRAN 17', ['A', 'B'])
    const rooms = roomsOf(byPhone, group)
    expect(rooms.all.value).toHaveLength(3)
    rooms.choose('QYRAN 17')
    expect(rooms.addressees()).toBeUndefined()
  })
})
