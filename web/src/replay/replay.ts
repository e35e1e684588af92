/**
 * Looking back: which moment is wanted, whether time runs on from there, and how fast.
 *
 * The desk shows the moment that the node last answered; what is wanted may be ahead of it. The
 * present goes on arriving behind.
 */
import { computed, ref, shallowRef } from 'vue'
import type { EntityRow } from '../api.generated'
import { api, call } from '../api/client'
import type { Entry } from '../api/types'
import type { Desk } from '../store/desk'
import { TAIL_LIMIT } from '../store/journal'
import { dtg } from '../time/dtg'
import { readBookmarks, writeBookmarks, type Bookmark } from './bookmarks'
import { MINUTE_MS, SPEEDS } from './past'
import { perDesk } from '../store/perDesk'

const BEAT_MS = 250
/** Where looking back begins. */
const BACK_MS = 10 * MINUTE_MS
/** Lines of the journal that are asked for once, when looking back begins. */
const ENTRIES = 5000
const ROWS = 50_000

export class Replay {
  /** Null while the present is shown. */
  readonly wanted_ms = ref<number | null>(null)
  readonly playing = ref(false)
  readonly speed = ref<number>(1)
  /** True while the node works on a moment. */
  readonly asking = ref(false)
  readonly bookmarks = shallowRef<readonly Bookmark[]>(readBookmarks(localStorage))
  readonly active = computed(() => this.wanted_ms.value !== null)

  private timer: ReturnType<typeof setInterval> | null = null
  private beat_ms = 0
  private entries: Entry[] | null = null
  private recalled: Entry[] = []
  /** It was begun and not yet answered: the moment is the page's choice, not that of anybody. */
  private beginning = false
  /** The moment that the node was asked for last. */
  private told_ms: number | null = null
  private readonly handles = new Map<string, number>()

  constructor(private readonly desk: Desk) {}

  /** Ten minutes back, or where the journal begins: before, there is nothing to be seen. */
  begin(): void {
    this.beginning = true
    this.go(this.desk.present_ms.value - BACK_MS)
  }

  /** Shows a moment; the future is not known, so it ends at the present. */
  go(at_ms: number): void {
    this.wanted_ms.value = Math.max(0, Math.min(Math.round(at_ms), this.desk.present_ms.value))
    void this.ask()
  }

  /** Shows the moment of a line of the journal, however old it is, and keeps the line among those of the past. */
  recall(entry: Entry): void {
    this.recalled.push(entry)
    this.go(entry.happened_at_ms)
  }

  /** The moment once more: somebody was selected, whose sources were not asked for. */
  again(): void {
    const at_ms = this.wanted_ms.value
    if (at_ms === null || this.playing.value) return
    this.told_ms = null
    void this.ask()
  }

  step(by_ms: number): void {
    this.go((this.wanted_ms.value ?? this.desk.present_ms.value) + by_ms)
  }

  /** Back to the present, at once. */
  live(): void {
    this.pause()
    this.wanted_ms.value = null
    this.entries = null
    this.recalled = []
    this.handles.clear()
    this.desk.showPresent()
  }

  toggle(): void {
    if (this.playing.value) this.pause()
    else this.play()
  }

  play(): void {
    if (this.wanted_ms.value === null) return
    this.playing.value = true
    this.beat_ms = performance.now()
    this.timer ??= setInterval(() => this.beat(), BEAT_MS)
  }

  pause(): void {
    this.playing.value = false
    if (this.timer) clearInterval(this.timer)
    this.timer = null
  }

  faster(steps: number): void {
    const at = SPEEDS.findIndex((one) => one === this.speed.value)
    this.speed.value = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + steps))]
  }

  /** Names the moment that is shown, be it past or present. */
  keep(name: string): void {
    this.setBookmarks([...this.bookmarks.value, { name, at_ms: this.wanted_ms.value ?? this.desk.present_ms.value }])
  }

  forget(mark: Bookmark): void {
    this.setBookmarks(this.bookmarks.value.filter((one) => one !== mark))
  }

  private setBookmarks(marks: readonly Bookmark[]): void {
    this.bookmarks.value = writeBookmarks(localStorage, marks)
  }

  private beat(): void {
    if (this.wanted_ms.value === null) return
    const now_ms = performance.now()
    const next_ms = this.wanted_ms.value + (now_ms - this.beat_ms) * this.speed.value
    this.beat_ms = now_ms
    // Time that has caught up with the present is the present.
    if (next_ms >= this.desk.present_ms.value) this.live()
    else this.go(next_ms)
  }

  /** One question at a time; what was wished meanwhile is asked next. */
  private async ask(): Promise<void> {
    if (this.asking.value) return
    this.asking.value = true
    this.told_ms = null
    while (this.wanted_ms.value !== null && this.wanted_ms.value !== this.told_ms) {
      const at_ms: number = this.wanted_ms.value
      this.told_ms = at_ms
      if (!(await this.desk.attempt(() => this.show(at_ms)))) {
        this.pause()
        // What is shown stays what it is; without anything shown this is still the present.
        this.wanted_ms.value = this.desk.past.value?.at_ms ?? null
        break
      }
    }
    this.asking.value = false
  }

  private async show(at_ms: number): Promise<void> {
    this.entries ??= await api.entries(ENTRIES)
    const first_ms = this.firstLine_ms()
    const chosen = !this.beginning
    this.beginning = false
    if (!chosen && this.wanted_ms.value === at_ms && at_ms < first_ms) {
      this.wanted_ms.value = first_ms
      return
    }
    const older = await this.olderUntil(at_ms)
    const selected = this.desk.selected.value
    const rows = await call<EntityRow[]>('GET', `/picture?${new URLSearchParams({ at_ms: String(at_ms), limit: String(ROWS), ...(selected ? { sources_of: selected } : {}) })}`)
    // Somebody went back to the present while the node worked.
    if (this.wanted_ms.value === null) return
    this.desk.showPast(at_ms, rows, [...older, ...(this.entries ?? []), ...this.recalled], this.handles)
    if (!rows.length && at_ms <= first_ms) this.desk.notify({ tone: 'ok', key: 'replay.nothingBefore', words: { dtg: dtg(first_ms) } })
  }

  /** When the oldest line came in that the reader may have; -Infinity: there is none, or there are older ones than were asked for. */
  private firstLine_ms(): number {
    const known = this.entries ?? []
    return known.length && known.length < ENTRIES ? Math.min(known[0].received_at_ms, this.desk.present_ms.value) : -Infinity
  }

  /** Lines by a moment that lies before all those that were asked for: the journal of then is not empty. */
  private async olderUntil(at_ms: number): Promise<Entry[]> {
    const known = this.entries ?? []
    return known.length < ENTRIES || at_ms > known[0].received_at_ms ? [] : api.entries(TAIL_LIMIT, at_ms)
  }
}

/** The one replay of a desk. */
export const replayOf = perDesk((desk) => new Replay(desk))
