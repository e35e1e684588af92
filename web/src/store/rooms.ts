/** Chat rooms as one person sees them: which there are, which is open, what was not read yet. */
import { computed, reactive, ref } from 'vue'
import type { Entry } from '../api/types'
import type { Desk } from './desk'
import { EVERYONE, kindOf, roomOf, roomsOf } from './journal'

export class Rooms {
  private readonly chosen = ref(EVERYONE)
  readonly current = computed(() => this.one(this.chosen.value))
  /** True while the open room is on the screen: only then does a line count as read. */
  readonly seen = ref(false)
  /** Rooms opened from here that nobody wrote in yet, with whom they are for. */
  readonly opened = reactive(new Map<string, string[]>())
  private readonly read_ms = reactive(new Map<string, number>())
  private readonly started_ms: number

  readonly all = computed(() => [...new Set([...roomsOf(this.desk.entries.value), ...this.opened.keys()].map((room) => this.one(room)))])
  /** Names of rooms whose id is a foreign one (a phone's uid). */
  private readonly names = computed(() => {
    const found = new Map<string, string>()
    for (const entry of this.desk.entries.value) {
      if (entry.body?.room_name) found.set(roomOf(entry), entry.body.room_name)
    }
    return found
  })
  /** Callsigns that are rooms of one person: nobody else was addressed there. */
  private readonly direct = computed(() => {
    const found = new Set(this.opened.keys())
    const groups = new Set<string>()
    for (const entry of this.desk.entries.value) {
      const [room, to] = [roomOf(entry), entry.body?.to ?? []]
      if (kindOf(entry) !== 'chat') continue
      if (to.length === 1 && to[0].value === room) found.add(room)
      else groups.add(room)
    }
    return new Set([...found].filter((room) => !groups.has(room)))
  })
  /** A person's room by the uid of the phone, which phones write to -> that by the callsign, which people and the node write to. */
  private readonly callsigns = computed(() => new Map([...this.names.value].filter(([room, name]) => room !== name && this.direct.value.has(name))))
  readonly lines = computed(() =>
    this.desk.entries.value.filter((entry) => kindOf(entry) === 'chat' && this.of(entry) === this.current.value),
  )
  readonly unread = computed(() => {
    const count = new Map<string, number>()
    for (const entry of this.desk.entries.value) {
      if (kindOf(entry) !== 'chat' || this.mine(entry)) continue
      const room = this.of(entry)
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

  /** The room that this one is, too: of two with one person there is one. */
  private one(room: string): string {
    return this.callsigns.value.get(room) ?? room
  }

  private of(entry: Entry): string {
    return this.one(roomOf(entry))
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
    this.chosen.value = room
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

  /** Callsigns of a direct room: as opened here, else those whom I addressed in it last, else whose it is; undefined for a group. */
  addressees(): string[] | undefined {
    const here = this.opened.get(this.current.value)
    if (here) return here
    const last = this.lines.value.findLast((entry) => this.mine(entry) && entry.body?.to?.length)
    if (last) return last.body?.to?.map((address) => address.value)
    return this.direct.value.has(this.current.value) ? [this.current.value] : undefined
  }
}
