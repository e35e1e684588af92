import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = join(import.meta.dirname, '../src')

/** The styles of the page by file: sheets, and what parts bring along for all of the page. */
function sheets(): [name: string, text: string][] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).flatMap((name): [string, string][] => {
    const text = /\.(css|vue)$/.test(name) ? readFileSync(join(SRC, name), 'utf8') : ''
    const found = name.endsWith('.css') ? text : [...text.matchAll(/<style>(.*?)<\/style>/gs)].map((one) => one[1]).join('')
    return found ? [[name, found.replace(/\/\*.*?\*\//gs, '')]] : []
  })
}

/** Classes that a sheet gives a look to wherever they stand: `.answer`, and not `.order .answer`. */
function looksOf(text: string): Set<string> {
  const selectors = [...text.replace(/\([^()]*\)/g, '').matchAll(/([^{}]+)\{/g)].flatMap(([, list]) => list.split(',').map((one) => one.trim()))
  return new Set(selectors.flatMap((one) => /^\.([a-z][\w-]*)$/i.exec(one)?.[1] ?? []))
}

describe('sheets of styles', () => {
  it('of a part that is loaded later give no look to what the page has already', () => {
    const page = looksOf(readFileSync(join(SRC, 'style.css'), 'utf8').replace(/\/\*.*?\*\//gs, ''))
    // The strip is of the page, and its slider says where it stands.
    const allowed = new Set(['strip-box'])
    const doubled = sheets().filter(([name]) => name !== 'style.css').flatMap(([name, text]) => [...looksOf(text)].filter((one) => page.has(one) && !allowed.has(one)).map((one) => `${name}: .${one}`))
    expect(doubled).toEqual([])
  })

  it('name all of what is meant inside :global(), since what follows it is lost', () => {
    const scoped = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vue'))
    expect(scoped.filter((name) => /:global\([^()]*(\([^()]*\)[^()]*)*\)\s+[.#\w]/.test(readFileSync(join(SRC, name), 'utf8')))).toEqual([])
  })
})
