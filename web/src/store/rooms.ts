/** Chat rooms as one person sees them: which there are, which is open, what was not read yet. */
import { computed, reactive, ref } from 'vue'
import type { Entry } from '../api/types'
import type { Desk } from './desk'
import { EVERYONE, kindOf, roomOf, roomsOf } from './journal'

export class Rooms {
  readonly current = ref(EVERYONE)
  /** True while the open room is on the screen: only then does a line count as read. */
  readonly seen = ref(false)
  /** Rooms opened from here that nobody wrote in yet, with whom they are for. */
  readonly opened = reactive(new Map<string, string[]>())
  private readonly read_ms = reactive(new Map<string, number>())
  private readonly started_ms: number

  readonly all = computed(() => [...new Set([...roomsOf(this.desk.entries.value), ...this.opened.keys()])])
  /** Names of rooms whose id is a foreign one (a phone's uid). */
  private readonly names = computed(() => {
    const found = new Map<string, string>()
    for (const entry of this.desk.entries.value) {
      if (entry.body?.room_name) found.set(roomOf(entry), entry.body.room_name)
    }
    return found
  })
  readonly lines = computed(() =>
    this.desk.entries.value.filter((entry) => kindOf(entry) === 'chat' && roomOf(entry) === this.current.value),
  )
  readonly unread = computed(() => {
    const count = new Map<string, number>()
    for (const entry of this.desk.entries.value) {
      if (kindOf(entry) !== 'chat' || this.mine(entry)) continue
      const room = roomOf(entry)
      if (this.seen.value && room === this.current.value) continue
      if (entry.received_at_ms <= (this.read_ms.get(room) ?? this.started_ms)) continue
      count.set(room, (count.get(room) ?? 0) + 1)
    }
    return count
  })
  readonly unread_count = computed(() => [...this.unread.value.values()].reduce((sum, one) => sum + one, 0))

  constructor(private readonly desk: Desk) {
    this.started_ms = desk.clock.now_ms()
  }

  named(room: string): string {
    return this.names.value.get(room) ?? room
  }

  mine(entry: Entry): boolean {
    return entry.author === this.desk.me.value?.principal.id
  }

  /** The room on the screen was read until now. */
  read(): void {
    this.read_ms.set(this.current.value, this.desk.clock.now_ms())
  }

  choose(room: string): void {
    if (this.seen.value) this.read()
    this.current.value = room
    if (this.seen.value) this.read()
  }

  open(room: string, to: string[]): void {
    this.opened.set(room, to)
    this.choose(room)
  }

  /** The chat came to the screen, or left it. */
  look(seen: boolean): void {
    this.read()
    this.seen.value = seen
  }

  /** Callsigns of a direct room: as opened here, else those whom I addressed in it last; undefined for a group. */
  addressees(): string[] | undefined {
    const here = this.opened.get(this.current.value)
    if (here) return here
    const last = this.lines.value.findLast((entry) => this.mine(entry) && entry.body?.to?.length)
    return last?.body?.to?.map((address) => address.value)
  }
}
