/**
 * The desk: everything one open page knows, and what it can do.
 *
 * Fast things (tracks) are plain and read on the beat `tick`; slow things (entries, links, who I
 * am) are shallow refs. One desk is made in `main.ts` and injected.
 */
import { computed, inject, ref, shallowRef, type InjectionKey } from 'vue'
import type { EntityRow } from '../api.generated'
import { api, ApiError, holdWrites } from '../api/client'
import type { Banner, Counts, Cursor, EntityDetail, Entry, LinkState, Me, NodeName, ServerText } from '../api/types'
import { pageI18n } from '../i18n'
import { entriesUntil, fill, type Past } from '../replay/past'
import { FrameKind, type Frame } from '../stream/frame'
import type { StreamSocket } from '../stream/socket'
import { StreamClient, type StreamState, type View } from '../stream/stream'
import { ServerClock } from '../time/clock'
import { WakeWatch } from '../time/wake'
import { isRepeat, JournalTail } from './journal'
import { LinkRates, type Rate } from './linkRates'
import { Names, principalName } from './names'
import { withNotice, type Notice } from './notices'
import { TrackStore } from './tracks'

/** After this long without a connection the picture is called not live. */
export const FROZEN_AFTER_MS = 5000
/** A connection that is up may be silent for one heartbeat of the node (5 s) and a little more. */
export const SILENT_AFTER_MS = 7500
/** The source that the node gives to a position of the past. */
const KEPT_TRACK = 'track'
/** Who says fused tracks. */
const FUSION = 'fusion'
const LINKS_EVERY_MS = 5000
/** How long a notice stays that nobody puts away: what went wrong wants to be read twice. */
const NOTICE_MS = { ok: 7000, bad: 60_000 }
const DAY_MS = 86_400_000
const START_AGAIN_MS = 1000
/** Clocks, ages and lists go on this often. */
const BEAT_MS = 1000
/** A frame of moves brings the beat with it, if the last one is this old: a second has one drawing of the page then, not two. */
const BEAT_LEAST_MS = 900
/** While frames come the beat waits a little for the next of them. */
const BEAT_WAIT_MS = 150

export class Desk {
  /** What is shown: the live tracks, or those of a moment of the past. */
  readonly tracks = new TrackStore()
  readonly names = new Names()
  /** The moment of the past that is shown instead of the present; null while the present is shown. */
  readonly past = shallowRef<Past | null>(null)
  private readonly node_clock = new ServerClock(() => performance.now(), Date.now())
  /** The time of what is shown; every age is measured against it. */
  readonly clock = { now_ms: (): number => this.past.value?.at_ms ?? this.node_clock.now_ms() }

  /** Grows at least once a second, and with every frame that brings more than moves. */
  readonly tick = ref(0)
  /** Grows with every frame: for what draws symbols, and costs little. */
  readonly moves = ref(0)
  readonly now_ms = ref(this.clock.now_ms())
  /** Midnight UTC before it: times of day are written against this, so that a list need not follow every second. */
  readonly day_ms = computed(() => Math.floor(this.now_ms.value / DAY_MS) * DAY_MS)
  /** The node's time, also while the past is shown. */
  readonly present_ms = ref(this.node_clock.now_ms())
  readonly me = shallowRef<Me | null>(null)
  readonly banner = shallowRef<Banner | null>(null)
  readonly context = ref('')
  readonly node_name = ref('')
  readonly counts = shallowRef<Counts | null>(null)
  readonly entries = shallowRef<Entry[]>([])
  /** Also what was written after the moment that is shown. */
  readonly all_entries = shallowRef<Entry[]>([])
  readonly links = shallowRef<LinkState[]>([])
  readonly link_rates = shallowRef<ReadonlyMap<string, Rate>>(new Map())
  readonly links_error = shallowRef<ApiError | null>(null)
  readonly stream_state = ref<StreamState>('connecting')
  /** The node's time on what came last, 0 before the first. */
  readonly heard_ms = ref(0)
  readonly login_needed = ref(false)
  readonly notices = shallowRef<Notice[]>([])
  readonly selected = ref<string | null>(null)
  readonly meta_version = ref(0)
  /** Set once the first snapshot with a position was drawn. */
  readonly first_picture = ref(false)

  /** The present, also while the past is shown: frames go here. */
  private live = this.tracks
  private readonly tail = new JournalTail()
  private readonly rates = new LinkRates()
  private readonly wake = new WakeWatch(Date.now(), performance.now())
  private stream: StreamClient | null = null
  private links_ms = -Infinity
  /** False after a sleep until the node said the time: till then everything counts as old. */
  private clock_sure = true
  private frame_pending = false
  private beat_ms = -Infinity
  private beat_timer: ReturnType<typeof setTimeout> | undefined
  private moved_ms = -Infinity
  private next_counts: Counts | null = null
  /** Did a frame bring more than moves since the lists were told? */
  private has_news = false
  private notice_id = 0
  private starting = false

  constructor(private readonly open_socket: (url: string) => StreamSocket) {}

  /** Logs in with the cookie, reads the tail, opens the stream. Tries again until it works. */
  async start(): Promise<void> {
    if (this.starting || this.stream) return
    this.starting = true
    try {
      const me = await api.me()
      this.setClock(me.server_time_ms)
      this.me.value = me
      this.banner.value = me.banner
      this.context.value = me.context
      this.node_name.value = me.node.name
      this.login_needed.value = false
      const entries = await api.entries(200)
      this.takeEntries(entries)
      this.openStream(entries.length ? entries[entries.length - 1].cursor : null)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 401 || error.status === 403) {
        this.login_needed.value = true
        this.stream_state.value = 'refused'
      } else {
        this.stream_state.value = 'lost'
        setTimeout(() => void this.start(), START_AGAIN_MS)
      }
    } finally {
      this.starting = false
    }
  }

  private openStream(since: Cursor | null): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const sink = {
      state: (state: StreamState) => this.onState(state),
      text: (message: ServerText) => this.onText(message),
      frame: (frame: Frame) => this.onFrame(frame),
      broken: (reason: string) => this.notify({ tone: 'bad', key: 'error.broken', words: { reason } }),
    }
    this.stream = new StreamClient(`${scheme}://${location.host}/api/v1/stream`, this.open_socket, sink, () => api.answers())
    this.stream.start(since)
  }

  /** Begins the beat: from now on, once a second and whether or not the node speaks, clocks, ages, counts and lists go on. */
  beat(): void {
    clearTimeout(this.beat_timer)
    const moves = performance.now() - this.moved_ms < 2 * BEAT_MS
    this.beat_timer = setTimeout(() => this.beat(), moves ? BEAT_MS + BEAT_WAIT_MS : BEAT_MS)
    this.checkSleep()
    this.tellLists()
    if (this.stream_state.value === 'live' && performance.now() - this.links_ms > LINKS_EVERY_MS) {
      this.links_ms = performance.now()
      // Old by the node's own times: it is slow, or its clock was set back.
      if (!this.clock_sure || this.frozen()) void this.checkLogin()
      void this.readLinks()
    }
  }

  private tellLists(): void {
    this.beat_ms = performance.now()
    this.readClocks()
    if (this.next_counts) this.counts.value = this.next_counts
    this.next_counts = null
    this.meta_version.value = this.tracks.meta_version
    this.tick.value++
  }

  /** After a sleep everything on the screen is as old as the sleep was long; then the node is asked. */
  private checkSleep(): void {
    const slept_ms = this.wake.slept_ms(Date.now(), performance.now())
    if (!slept_ms) return
    this.node_clock.advance(slept_ms)
    this.clock_sure = false
    this.links_ms = -Infinity
    this.hurry()
  }

  node(): NodeName | null {
    const me = this.me.value
    return me ? { id: me.node.id, name: this.node_name.value || me.node.name } : null
  }

  /** A principal's id as people call it. */
  nameOf(principal: string): string {
    // A position of the past that was kept without its reporter.
    if (principal === KEPT_TRACK) return pageI18n().global.t('replay.kept')
    if (principal === FUSION) return pageI18n().global.t('why.fusion')
    return principalName(principal, this.node())
  }

  hurry(): void {
    if (this.stream) this.stream.hurry()
    else void this.start()
  }

  setView(view: View): void {
    this.stream?.setView(view)
  }

  private onState(state: StreamState): void {
    const was = this.stream_state.value
    // "Connecting" after a loss is still lost for the person who looks at the page.
    if (state === 'connecting' && (was === 'lost' || was === 'refused')) return
    this.stream_state.value = state
    // A browser cannot see why a WebSocket was refused; the REST side can say it.
    if ((state === 'lost' || state === 'refused') && was !== state) void this.checkLogin()
  }

  /** Am I still logged in, and what time is it? */
  private async checkLogin(): Promise<void> {
    try {
      this.setClock((await api.me()).server_time_ms)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 401) this.login_needed.value = true
    }
  }

  private onText(message: ServerText): void {
    if (message.t === 'hello') {
      this.setClock(message.server_time_ms)
      this.heard(message.server_time_ms)
      this.banner.value = message.banner
      this.context.value = message.context
      this.node_name.value = message.node.name
      this.login_needed.value = false
      this.readClocks()
    } else if (message.t === 'entry') {
      this.takeEntries([message.entry])
    } else if (message.t === 'counts') {
      this.next_counts = message
      if (!this.counts.value) this.counts.value = message
    }
  }

  private setClock(server_ms: number): void {
    this.node_clock.set(server_ms)
    this.clock_sure = true
  }

  private readClocks(): void {
    this.present_ms.value = this.node_clock.now_ms()
    this.now_ms.value = this.clock.now_ms()
  }

  /**
   * The picture is as old as the node's time on what came last, however late that came: after a sleep, or over a line
   * that is too slow, what waited meanwhile is the past.
   */
  private heard(at_ms: number): void {
    this.node_clock.atLeast(at_ms)
    this.heard_ms.value = at_ms
  }

  /** Shows a moment of the past; the present goes on behind, and nothing can be written meanwhile. */
  showPast(at_ms: number, rows: readonly EntityRow[], entries: readonly Entry[], handles: Map<string, number>): void {
    if (this.past.value === null) {
      this.live = new TrackStore()
      this.tracks.exchange(this.live)
      holdWrites(() => pageI18n().global.t('replay.readOnly'))
    }
    fill(this.tracks, rows, handles)
    const known = new Map([...entries, ...this.all_entries.value].map((entry) => [entry.id, entry]))
    const until = entriesUntil([...known.values()].filter((entry) => !isRepeat(entry)), at_ms)
    this.past.value = { at_ms, rows: new Map(rows.map((row) => [row.id, row])), entries: until }
    this.entries.value = until
    this.showAgain()
  }

  showPresent(): void {
    if (this.past.value === null) return
    this.tracks.exchange(this.live)
    this.live = this.tracks
    this.past.value = null
    this.entries.value = this.all_entries.value
    holdWrites(null)
    this.showAgain()
  }

  private showAgain(): void {
    this.readClocks()
    this.meta_version.value = this.tracks.meta_version
    this.tick.value++
  }

  /** Tracks of the present, whatever is shown. */
  presentTracks(): TrackStore {
    return this.live
  }

  /** What is known of an entity at the time that is shown. Throws ApiError. */
  async entity(id: string): Promise<EntityDetail> {
    const past = this.past.value
    if (!past) return api.entity(id)
    const row = past.rows.get(id)
    if (!row) throw new ApiError(404, 'unknown', pageI18n().global.t('details.gone'))
    return { ...row, label: { ...row.label } }
  }

  private onFrame(frame: Frame): void {
    this.heard(frame.base_time_ms)
    switch (frame.kind) {
      case FrameKind.positions:
        this.live.applyPositions(frame)
        break
      case FrameKind.meta:
        this.live.applyMetas(frame.metas)
        this.names.fromMetas(frame.metas)
        break
      case FrameKind.remove:
        this.live.remove(frame.handle)
        break
      case FrameKind.snapshot:
        this.live.clear()
        break
      default:
        return
    }
    if (frame.kind !== FrameKind.positions) this.has_news = true
    if (this.frame_pending) return
    this.frame_pending = true
    // Frames come in bursts (snapshot, meta, positions): the page is told once for all of them.
    requestAnimationFrame(() => {
      this.frame_pending = false
      this.moves.value++
      this.moved_ms = performance.now()
      if (this.moved_ms - this.beat_ms > BEAT_LEAST_MS) this.beat()
      if (!this.has_news && this.first_picture.value) return
      this.has_news = false
      this.tellLists()
      if (!this.first_picture.value && this.tracks.bounds()) this.first_picture.value = true
    })
  }

  private takeEntries(entries: Entry[]): void {
    this.names.fromEntries(entries)
    if (!this.tail.add(entries)) return
    this.all_entries.value = this.tail.all()
    if (this.past.value === null) this.entries.value = this.all_entries.value
  }

  private async readLinks(): Promise<void> {
    try {
      const links = await api.links()
      this.names.fromLinks(links)
      this.links.value = links
      this.link_rates.value = this.rates.read(links, performance.now())
      this.links_error.value = null
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.links_error.value = error
    }
  }

  /** Runs a call; a refusal is shown with its reason and remedy. Answers whether it worked. */
  async attempt(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 401) this.login_needed.value = true
      this.notify(
        error.status === 0
          ? { tone: 'bad', key: 'error.unreachable' }
          : { tone: 'bad', text: error.message, remedy: error.remedy, allowed: error.allowed, refusal: error.refusal },
      )
      return false
    }
  }

  notify(notice: Omit<Notice, 'id'>): void {
    const id = ++this.notice_id
    this.notices.value = withNotice(this.notices.value, { ...notice, id })
    setTimeout(() => this.dismiss(id), NOTICE_MS[notice.tone])
  }

  /** Puts away the last thing that went wrong; false: there is none. What went well goes by itself. */
  dismissWrong(): boolean {
    const last = this.notices.value.findLast(({ tone }) => tone === 'bad')
    if (last) this.dismiss(last.id)
    return last !== undefined
  }

  dismiss(id: number): void {
    this.notices.value = this.notices.value.filter((notice) => notice.id !== id)
  }

  private readonly is_frozen = computed(() => {
    const limit_ms = this.stream_state.value === 'live' ? SILENT_AFTER_MS : FROZEN_AFTER_MS
    return this.heard_ms.value > 0 && this.present_ms.value - this.heard_ms.value > limit_ms
  })
  /** True when what is on the screen may no longer be the present. Who asks is told of a change, not of each second. */
  frozen(): boolean {
    return this.is_frozen.value
  }
}

export const DESK: InjectionKey<Desk> = Symbol('desk')

export function useDesk(): Desk {
  const desk = inject(DESK)
  if (!desk) throw new Error('no desk was provided')
  return desk
}
