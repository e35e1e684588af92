/** Starts the page: one desk, one language, one app. */
import '@fontsource-variable/inter'
import 'maplibre-gl/dist/maplibre-gl.css'
import './style.css'
import { createApp } from 'vue'
import App from './App.vue'
import { firstLanguage, makeI18n } from './i18n'
import { Desk, DESK } from './store/desk'

const desk = new Desk()
const language = firstLanguage(localStorage.getItem('aquila.language'), navigator.languages)
document.documentElement.lang = language

createApp(App).use(makeI18n(language)).provide(DESK, desk).mount('#app')

setInterval(() => desk.beat(), 1000)
window.addEventListener('online', () => desk.hurry())
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') desk.hurry()
})
void desk.start()
