/** Starts the page: one desk, one shell, one language, one app. */
import '@fontsource-variable/inter'
import 'maplibre-gl/dist/maplibre-gl.css'
import './style.css'
import { createApp } from 'vue'
import App from './App.vue'
import { firstLanguage, loadLanguage, pageI18n } from './i18n'
import { SHELL, Shell } from './shell/shell'
import { WORKSPACES } from './shell/workspaces'
import { SocketWorker } from './stream/socket'
import { Desk, DESK } from './store/desk'
import { watchPhone } from './ui/useScreen'

const sockets = new SocketWorker(() => new Worker(new URL('./stream/socket.worker.ts', import.meta.url), { type: 'module' }))
const desk = new Desk((url) => sockets.open(url))
const language = firstLanguage(localStorage.getItem('aquila.language'), navigator.languages)
/** The letters of the page, of its own and of Russian and Kazakh; null after as long as nobody waits for them. */
const letters = Promise.race([document.fonts.load('13px "Inter Variable"', 'Aяқ'), new Promise<null>((done) => setTimeout(done, 500, null))]).catch(() => null)
// A page in the wrong language, or in other letters, for an instant would jump: these come first, at worst English.
const [spoken] = await Promise.all([loadLanguage(language), letters])
const shell = new Shell(desk, WORKSPACES, watchPhone(), spoken ? language : 'en')

createApp(App).use(pageI18n()).provide(DESK, desk).provide(SHELL, shell).mount('#app')

desk.beat()
window.addEventListener('online', () => desk.hurry())
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') desk.hurry()
})
void desk.start()
