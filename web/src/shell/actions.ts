/**
 * Every action of the page, once. The palette, the shortcut sheet and the keyboard read this table;
 * how to add one stands in README.md beside it.
 */
import { LANGUAGES, type Language } from '../i18n'
import type { Action } from './action'
import { BRIEF_ACTIONS } from '../brief/actions'
import { COVERAGE_ACTIONS } from '../coverage/actions'
import { DRAW_ACTIONS } from '../draw/actions'
import { pressed, type KeyPress } from './keys'
import { MAP_ACTIONS } from '../map/actions'
import { WHY_ACTIONS } from '../panels/why/actions'
import { PRINT_ACTIONS } from '../print/actions'
import { REPLAY_ACTIONS } from '../replay/actions'
import { STAFF_ACTIONS } from '../staff/actions'
import type { Shell } from './shell'
import { THEMES } from './theme'
import { WORKSPACES } from './workspaces'

const workspaceActions: Action[] = WORKSPACES.map((one) => ({
  id: `go.${one.id}`,
  title: 'actions.open',
  words: { name: one.title },
  section: 'go',
  keys: one.keys ? [one.keys] : [],
  when: (shell) => one.when?.(shell.desk) ?? true,
  run: (shell) => shell.open(one.id),
}))

const selected = (shell: Shell) => shell.desk.selected.value

/** Grows with what parts of the page add: their own tables are spread in here. */
export const ACTIONS: readonly Action[] = [
  { id: 'find', title: 'actions.find', section: 'find', keys: ['/'], run: (shell) => (shell.overlay.value = 'find') },
  { id: 'palette', title: 'actions.palette', section: 'find', keys: ['ctrl+k'], in_fields: true, run: (shell) => (shell.overlay.value = 'palette') },
  { id: 'keys', title: 'actions.keys', section: 'page', keys: ['?'], run: (shell) => (shell.overlay.value = 'keys') },
  ...workspaceActions,
  { id: 'go.map', title: 'actions.map', section: 'go', keys: ['0'], run: (shell) => shell.open('map') },
  { id: 'next-alert', title: 'actions.nextAlert', section: 'find', keys: ['a'], run: (shell) => shell.nextAlert() },
  { id: 'marker', title: 'actions.marker', also: 'palette.also.marker', section: 'map', keys: ['m', 'u'], run: (shell) => shell.placeMarker() },
  { id: 'fit', title: 'tools.fit', also: 'palette.also.fit', section: 'map', keys: ['f'], when: (shell) => Boolean(shell.map.value?.fitAll), run: (shell) => shell.map.value?.fitAll?.() },
  {
    id: 'centre',
    title: 'actions.centre',
    section: 'map',
    keys: ['c'],
    when: (shell) => selected(shell) !== null,
    run: (shell) => shell.centreOn(selected(shell)!),
  },
  {
    id: 'details.python',
    title: 'actions.entity',
    section: 'find',
    when: (shell) => selected(shell) !== null,
    run: (shell) => shell.open('now'),
    python: (shell) => `node.entity(${JSON.stringify(selected(shell))})`,
  },
  { id: 'note', title: 'actions.note', also: 'palette.also.note', section: 'write', keys: ['l'], run: (shell) => shell.writeNote(), python: () => 'node.add_note(text="…")' },
  {
    id: 'undo',
    title: 'actions.undo',
    section: 'write',
    keys: ['ctrl+z'],
    when: (shell) => shell.undo.next_undo.value !== null,
    run: (shell) => shell.takeBack(),
  },
  {
    id: 'redo',
    title: 'actions.redo',
    section: 'write',
    keys: ['ctrl+shift+z', 'ctrl+y'],
    when: (shell) => shell.undo.next_redo.value !== null,
    run: (shell) => shell.doAgain(),
  },
  { id: 'left', title: 'actions.left', section: 'look', keys: ['['], when: (shell) => !shell.phone.value, run: (shell) => shell.toggle('left') },
  { id: 'right', title: 'actions.right', section: 'look', keys: [']'], when: (shell) => !shell.phone.value, run: (shell) => shell.toggle('right') },
  { id: 'below', title: 'actions.below', section: 'look', keys: ['j'], when: (shell) => !shell.phone.value, run: (shell) => shell.toggle('below') },
  { id: 'night', title: 'actions.night', section: 'look', keys: ['n'], run: (shell) => shell.toggleNight() },
  ...THEMES.map((theme): Action => ({
    id: `theme.${theme}`,
    title: 'actions.theme',
    words: { name: `theme.${theme}` },
    section: 'look',
    when: (shell) => shell.theme.value !== theme,
    run: (shell) => shell.setTheme(theme),
  })),
  ...(Object.keys(LANGUAGES) as Language[]).map((code): Action => ({
    id: `language.${code}`,
    title: 'actions.language',
    words: { name: `=${LANGUAGES[code]}` },
    also: 'palette.also.language',
    section: 'look',
    run: (shell) => shell.setLanguage(code),
  })),
  { id: 'tracks.filter', title: 'filter.words', also: 'palette.also.filter', section: 'find', run: (shell) => (shell.open('tracks'), shell.focus('tracks')) },
  ...DRAW_ACTIONS,
  ...STAFF_ACTIONS,
  ...REPLAY_ACTIONS,
  ...MAP_ACTIONS,
  ...BRIEF_ACTIONS,
  ...COVERAGE_ACTIONS,
  ...PRINT_ACTIONS,
  ...WHY_ACTIONS,
  { id: 'exchange', title: 'exchange.open', also: 'palette.also.exchange', section: 'page', keys: ['e'], run: (shell) => (shell.overlay.value = 'exchange') },
  { id: 'exchange.packages', title: 'packages.send', also: 'palette.also.send', section: 'write', run: (shell) => shell.sendFiles() },
  { id: 'logout', title: 'me.logout', section: 'page', run: (shell) => shell.logOut() },
]

const WRITES = new Set(['marker', 'exchange'])
/** Nobody acts from the past: what writes is refused, with the reason, while it is shown. */
function refused(action: Action, shell: Shell): boolean {
  return shell.desk.past.value !== null && (action.section === 'write' || WRITES.has(action.id))
}

/** The actions that can be done now. */
export function possible(shell: Shell): Action[] {
  return ACTIONS.filter((action) => !refused(action, shell) && (action.when?.(shell) ?? true))
}

/** Does what the keys say; answers whether they said anything. */
export function runKeys(shell: Shell, press: KeyPress, in_field: boolean): boolean {
  const found = ACTIONS.find(
    (action) =>
      (!in_field || action.in_fields) &&
      action.keys?.some((keys) => pressed(keys, press)) &&
      (action.when?.(shell) ?? true),
  )
  if (found && refused(found, shell)) shell.desk.notify({ tone: 'bad', key: 'replay.readOnly' })
  else found?.run(shell)
  return Boolean(found)
}
