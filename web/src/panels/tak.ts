/** Words that TAK clients send in English whatever their language: teams, roles, the room for everybody. */
import { pageI18n } from '../i18n'
import { EVERYONE } from '../store/journal'

/** A team ("Dark Blue") or a role ("Team Lead") in the reader's language; one that people made stays as it is. */
export function takWord(group: 'team' | 'role', name: string): string {
  const { t, te } = pageI18n().global
  const key = `tak.${group}.${name.toLowerCase().replaceAll(' ', '_')}`
  return te(key) ? t(key) : name
}

/** A chat room by the name that it has for people; that of a team is called as the team. */
export const roomWord = (room: string, name: string): string => (room === EVERYONE ? pageI18n().global.t('chat.everyone') : takWord('team', name))
