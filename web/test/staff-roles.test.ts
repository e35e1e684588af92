import { describe, expect, it } from 'vitest'
import type { MyDesk, NeedRow, PostRow } from '../src/api.generated'
import { clockOf, panelsOf, roster, workspaceOf } from '../src/staff/roles/home'

const need = (more: Partial<NeedRow>) => ({ feature: 'incidents', kind: 'tell', since_ms: 0, due_ms: null, ...more }) as NeedRow
const row = (post: string, is_held: boolean, since_ms = 0) => ({ post, is_held, since_ms }) as PostRow

describe('the home of a post', () => {
  it('says how late something is, how long there is, or since when it waits', () => {
    expect(clockOf(need({ due_ms: 60_000 }), 120_000).key).toBe('late')
    expect(clockOf(need({ due_ms: 180_000 }), 120_000).key).toBe('left')
    expect(clockOf(need({}), 120_000).key).toBe('since')
  })
  it('opens what needs the node where its state stands', () => {
    expect(workspaceOf(need({ feature: 'node', kind: 'feed' }))).toBe('feeds')
    expect(workspaceOf(need({ feature: 'node', kind: 'refused' }))).toBe('links')
    expect(workspaceOf(need({ feature: 'medevac' }))).toBe('medevac')
  })
  it('puts who holds a post before who is on call', () => {
    const rows = [row('watch_officer', false), row('commander', true), row('watch_officer', true)]
    expect(roster(rows).map((one) => [one.post, one.is_held])).toEqual([['commander', true], ['watch_officer', true], ['watch_officer', false]])
  })
  it('offers only workspaces that the page has', () => {
    expect(panelsOf({ panels: ['tasks', 'moon', 'orbat'] } as MyDesk, ['orbat', 'tasks'] as string[])).toEqual(['tasks', 'orbat'])
  })
})
