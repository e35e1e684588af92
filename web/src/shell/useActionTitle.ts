/** An action's title in the reader's language. */
import { useI18n } from 'vue-i18n'
import type { Action } from './action'

export function useActionTitle(): (action: Action) => string {
  const { t } = useI18n()
  return ({ title, words }) => {
    const values = Object.entries(words ?? {}).map(([name, word]) => [name, word.startsWith('=') ? word.slice(1) : t(word)])
    return t(title, Object.fromEntries(values) as Record<string, string>)
  }
}
