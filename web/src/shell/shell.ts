/**
 * The shell: where things are on the page, and what one thing may ask of another.
 *
 * Panels need no props and emit nothing: they take the shell (`useShell()`) and the desk
 * (`useDesk()`). The desk is what the page knows; the shell is where it shows it.
 */
import type { Feature } from 'geojson'
import { computed, inject, nextTick, ref, shallowRef, type Component, type InjectionKey, type Ref } from 'vue'
import { api } from '../api/client'
import { fetchLanguage, pageI18n, speak, type Language } from '../i18n'
import { alertsOf } from '../staff/alerts/live'
import { ordered } from '../staff/alerts/watch'
import { alarmsOf } from '../store/attention'
import type { Desk } from '../store/desk'
import { Filters } from '../store/filters'
import { Rooms } from '../store/rooms'
import { TrackIndex, type TrackFilter } from '../store/search'
import type { Place } from '../geo/place'
import type { MapAdapter } from '../map/port'
import type { IconName } from '../ui/IconMark.vue'
import { keptLayout, type Side } from './layout'
import { firstTheme, type Theme } from './theme'
import { tracksShown } from './tracksShown'
import { UndoStack, type Step } from './undo'

/** What the map offers to the rest of the page. */
export interface MapTools {
  startPlacing(): void
  /** Esc: true when there was something to cancel. */
  cancel(): boolean
  flyTo(place: Place, zoom?: number): void
  /** Marks a place until Esc, a click, or until another is gone to. */
  pin?(place: Place): void
  fitAll?(): void
  /** Shows west, south, east, north in degrees. */
  fit?(bounds: [number, number, number, number]): void
  /** Shows a view that `bounds` told, above the lowest `below_px`. */
  frame?(bounds: [number, number, number, number], below_px: number): void
  /** West, south, east, north in degrees of what is seen; null before the first picture. */
  bounds?(): [number, number, number, number] | null
  /** A copy of the map's pixels; null where there is no map. */
  copy?(): HTMLCanvasElement | null
  /** The trails that it shows, as a map tells them (map/port.ts). */
  trails?(): Feature[]
  /** Lays onto the map of a sheet what people laid onto this one. */
  dress?(sheet: MapAdapter): void
}

export interface Workspace {
  /** Also its name in `shell.open(id)`. */
  id: string
  /** A catalogue key. */
  title: string
  icon: IconName
  /** A tab on the left or on the right, or the whole width between the side panels' outer edges. */
  where: 'left' | 'right' | 'full'
  part: Component
  /** It shows the present; while the past is shown, it says so instead. */
  live_only?: boolean
  keys?: string
  /** In the bar at the bottom of a phone; the others stand under "More". */
  bar?: boolean
  /** A number beside the title: 0 shows none. Read on the desk's beat. */
  count?(desk: Desk, shell: Shell): number
  /** What the number counts, as a word of the catalogue. */
  counted?: string
  /** Absent: for everyone. */
  when?(desk: Desk): boolean
}

/** Somebody waits for an entity to be named. */
export interface Naming {
  take(id: string): void
  /** A catalogue key: what is to be named, said over the map. */
  hint: string
}

export type Overlay = 'palette' | 'keys' | 'find' | 'exchange' | 'print' | 'password'

/** A place in lists is shown this near, an entity so. */
const PLACE_ZOOM = 12
const ENTITY_ZOOM = 9

export class Shell {
  readonly map = shallowRef<MapTools | null>(null)
  readonly undo = new UndoStack()
  readonly filters = new Filters()
  readonly rooms: Rooms
  readonly layout = keptLayout()
  readonly theme: Ref<Theme>
  /** The look to which night gives way. */
  private by_day: Theme = 'dark'
  readonly language: Ref<Language>
  /** The open tab on either side, the open workspace over the whole width (null: the map is seen). */
  readonly left = ref('tracks')
  readonly right = ref('now')
  readonly full = ref<string | null>(null)
  /** Workspaces that the post of who sits here wants first. */
  readonly first = shallowRef<readonly string[]>([])
  /** On a phone: the one thing that lies over the map, or `map`. */
  readonly sheet = ref('map')
  readonly overlay = ref<Overlay | null>(null)
  /** What the tracks are narrowed to; the list and the table share it. */
  readonly filter = shallowRef<TrackFilter>({})
  readonly index: TrackIndex
  readonly tracks: ReturnType<typeof tracksShown>
  /** Grows when somebody asks for the cursor: `wish.value = 'journal'` puts it into the journal's line. */
  readonly wish = shallowRef<{ what: string } | null>(null)
  /** The journal line that somebody asked for; the journal takes it and clears it. */
  readonly line = ref<string | null>(null)
  /** The words to which the journal is narrowed; '' = all of it is shown. */
  readonly words_wanted = ref('')
  /** Who takes the next entity that is chosen on the map, in a list or by the find box; null: it is selected. */
  readonly naming = shallowRef<Naming | null>(null)
  readonly busy = computed(() => this.overlay.value !== null)

  constructor(
    readonly desk: Desk,
    readonly workspaces: readonly Workspace[],
    readonly phone: Ref<boolean>,
    language: Language,
  ) {
    this.rooms = new Rooms(desk)
    const { t, locale } = pageI18n().global
    this.index = new TrackIndex(desk.tracks, {
      version: () => `${locale.value} ${desk.node_name.value}`,
      of: ({ source, category, affiliation }) => `${desk.nameOf(source)} ${t(`category.${category}`)} ${t(`affiliation.${affiliation}`)}`,
    })
    this.tracks = tracksShown(desk, this.index, this.filter)
    const light = window.matchMedia('(prefers-color-scheme: light)').matches
    this.theme = ref(firstTheme(localStorage.getItem('aquila.theme'), light))
    this.language = ref(language)
    this.setTheme(this.theme.value)
  }

  /** Night, and back to the look that was there before it. */
  toggleNight(): void {
    this.setTheme(this.theme.value === 'night' ? this.by_day : 'night')
  }

  setTheme(theme: Theme): void {
    if (theme !== 'night') this.by_day = theme
    this.theme.value = theme
    document.documentElement.dataset.theme = theme
    localStorage.setItem('aquila.theme', theme)
  }

  private language_wished: Language | null = null
  async setLanguage(code: Language): Promise<void> {
    this.language_wished = code
    const came = await fetchLanguage(code)
    // Who chose another one meanwhile wants that one.
    if (this.language_wished !== code) return
    if (!came) return this.desk.notify({ tone: 'bad', key: 'error.unreachable' })
    speak(code)
    this.language.value = code
    localStorage.setItem('aquila.language', code)
  }

  workspace(id: string): Workspace | undefined {
    return this.workspaces.find((one) => one.id === id)
  }

  /** Opens a workspace wherever it lives; `map` closes what covers the map. */
  open(id: string): void {
    const found = this.workspace(id)
    if (this.phone.value) this.sheet.value = id
    if (!found) {
      this.full.value = null
      return
    }
    this.show(found)
  }

  private show({ id, where }: Workspace): void {
    if (where === 'full') {
      this.full.value = id
      return
    }
    // A workspace covers the side panels too: it gives way to what was asked for.
    this.full.value = null
    if (where === 'left') this.left.value = id
    else this.right.value = id
    this.layout[`${where}_open`] = true
  }

  isOpen(id: string): boolean {
    if (this.phone.value) return this.sheet.value === id
    return this.full.value === id || this.left.value === id || this.right.value === id
  }

  toggle(side: Side): void {
    this.layout[`${side}_open`] = !this.layout[`${side}_open`]
  }

  /** Puts the cursor into a named field (`journal`, `chat`, `tracks`), opened first. */
  async focus(what: string): Promise<void> {
    await nextTick()
    this.wish.value = { what }
  }

  /** Selects an entity. From the map nothing moves; from a list, `fly` also shows the place. */
  select(id: string | null, fly = false): void {
    const naming = this.naming.value
    this.naming.value = null
    if (naming && id) return naming.take(id)
    this.desk.selected.value = id
    if (this.phone.value) this.sheet.value = id ? 'now' : 'map'
    else if (id) this.right.value = 'now'
    if (id && fly) void nextTick(() => this.centreOn(id))
  }

  /** What was clicked on the map; null: nothing was there, which tells nobody who waits for a name that it was given up. */
  pick(id: string | null): void {
    if (id !== null || !this.naming.value) this.select(id)
  }

  /** The next entity that is chosen goes to who asks, instead of being selected. */
  askName(naming: Naming): void {
    this.naming.value = naming
    this.full.value = null
    if (this.phone.value) this.sheet.value = 'map'
  }

  centreOn(id: string): void {
    const h = this.desk.tracks.handleOf(id)
    const motion = h === null ? null : this.desk.tracks.motion(h)
    if (motion) this.map.value?.flyTo(motion, ENTITY_ZOOM)
  }

  goTo(place: Place, zoom = PLACE_ZOOM): void {
    if (this.phone.value) this.sheet.value = 'map'
    this.full.value = null
    this.map.value?.flyTo(place, zoom)
  }

  /** Goes to a place that was asked for by its coordinates, and marks it: on bare ground nobody sees which spot was meant. */
  showPlace(place: Place): void {
    this.goTo(place)
    this.map.value?.pin?.(place)
  }

  /** The journal with the cursor in it; nobody types into a field that a workspace covers. */
  async writeNote(): Promise<void> {
    this.openJournal()
    await this.focus('journal')
  }

  /** The journal with the lines that hold these words. */
  searchJournal(words: string): void {
    this.words_wanted.value = words.trim()
    this.openJournal()
  }

  private openJournal(): void {
    this.full.value = null
    if (this.phone.value) this.sheet.value = 'journal'
    else this.layout.below_open = true
  }

  /** Opens the journal at a line of it, among all the others. */
  async showLine(id: string): Promise<void> {
    this.words_wanted.value = ''
    this.openJournal()
    await nextTick()
    this.line.value = id
  }

  async openChat(room: string, to: string[]): Promise<void> {
    this.rooms.open(room, to)
    this.open('chat')
    await this.focus('chat')
  }

  /** The list of files, where new ones are sent. */
  async sendFiles(): Promise<void> {
    this.overlay.value = 'exchange'
    await this.focus('exchange:packages')
  }

  placeMarker(): void {
    this.full.value = null
    if (this.phone.value) this.sheet.value = 'map'
    this.map.value?.startPlacing()
  }

  /** Goes through calls for help, then through those of whom an alert waits, one after the other, and shows each on the map. */
  nextAlert(): void {
    const { tracks } = this.desk
    const calls = alarmsOf(tracks).flatMap(({ h }) => tracks.meta[h]?.id ?? [])
    const waiting = alertsOf(this.desk).alerts.value.filter(({ state, trigger, entity }) => state === 'raised' && trigger !== 'emergency' && tracks.handleOf(entity) !== null)
    const alarms = [...new Set([...calls, ...ordered(waiting).map(({ entity }) => entity)])]
    if (!alarms.length) return this.desk.notify({ tone: 'ok', key: 'attention.noAlarm' })
    const at = alarms.indexOf(this.desk.selected.value ?? '')
    this.full.value = null
    this.select(alarms[(at + 1) % alarms.length], true)
  }

  async takeBack(): Promise<void> {
    const step = await this.undo.undo()
    if (step) this.tell('undo.undone', step)
  }

  async doAgain(): Promise<void> {
    const step = await this.undo.redo()
    if (step) this.tell('undo.redone', step)
  }

  private tell(key: string, step: Step): void {
    this.desk.notify({ tone: 'ok', key, words: { what: { key: step.title, words: step.words } } })
  }

  async logOut(): Promise<void> {
    if (await this.desk.attempt(() => api.logOut())) location.assign('/')
  }

  /**
   * Esc, one thing at a time: what lies on top goes first. Overlays close themselves; then what went
   * wrong, what the map is doing, the field that is being written in, the workspace, and last the selection.
   */
  escape(field: HTMLElement | null): void {
    if (this.desk.dismissWrong()) return
    if (this.map.value?.cancel()) return
    if (field) field.blur()
    else if (this.naming.value) this.naming.value = null
    else if (this.full.value) this.full.value = null
    else this.select(null)
  }
}

export const SHELL: InjectionKey<Shell> = Symbol('shell')

export function useShell(): Shell {
  const shell = inject(SHELL)
  if (!shell) throw new Error('no shell was provided')
  return shell
}
