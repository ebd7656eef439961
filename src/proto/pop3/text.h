/* SPDX-License-Identifier: MIT */
/* text - all texts of the replies in all languages that LANG offers (RFC 6856 3).
 * X(id, English, German, Spanish, French, Japanese). No text begins with "[" (R45). */
#ifndef POP3_TEXT_H
#define POP3_TEXT_H

#include "proto/wire/language.h"

#define POP3_TEXTS(X)                                                                              \
    X(SEND_PASSWORD, "send the password", "Passwort senden", "envíe la contraseña",                \
      "envoyez le mot de passe", "パスワードを送ってください")                                     \
    X(LOGGED_IN, "logged in", "angemeldet", "sesión iniciada", "connecté", "ログインしました")     \
    X(BYE, "bye", "auf Wiedersehen", "adiós", "au revoir", "さようなら")                           \
    X(DONE, "done", "erledigt", "hecho", "fait", "完了")                                           \
    X(MARKED, "marked for deletion", "zum Löschen vorgemerkt", "marcado para borrar",              \
      "marqué pour suppression", "削除の印を付けました")                                           \
    X(DELETED, "deleted", "gelöscht", "borrado", "supprimé", "削除しました")                       \
    X(UNMARKED, "all marks removed", "alle Vormerkungen entfernt", "marcas retiradas",             \
      "marques retirées", "印をすべて外しました")                                                  \
    X(FOLLOWS, "it follows", "es folgt", "a continuación", "ci-dessous", "次に送ります")           \
    X(OCTETS, "octets", "Oktette", "octetos", "octets", "オクテット")                              \
    X(BEGIN_TLS, "begin TLS negotiation", "TLS-Aushandlung beginnen", "inicie la negociación TLS", \
      "commencez la négociation TLS", "TLSを開始してください")                                     \
    X(UTF8_ON, "UTF-8 mode", "UTF-8-Modus", "modo UTF-8", "mode UTF-8", "UTF-8モード")             \
    X(LANGUAGE, "language set", "Sprache gesetzt", "idioma cambiado", "langue choisie",            \
      "言語を設定しました")                                                                        \
    X(ASLEEP, "asleep; messages deleted", "schläft; gelöschte Nachrichten",                        \
      "dormido; mensajes borrados", "en sommeil; messages supprimés", "休止中; 削除数")            \
    X(AWAKE, "awake", "wach", "despierto", "éveillé", "再開しました")                              \
    X(LOGGED_OUT, "logged out", "abgemeldet", "sesión cerrada", "déconnecté",                      \
      "ログアウトしました")                                                                        \
    X(UNKNOWN, "unknown command", "unbekannter Befehl", "orden desconocida", "commande inconnue",  \
      "不明なコマンドです")                                                                        \
    X(WRONG_STATE, "not allowed now", "jetzt nicht erlaubt", "no permitido ahora",                 \
      "pas permis maintenant", "今は使えません")                                                   \
    X(BAD_ARGUMENTS, "wrong arguments", "falsche Argumente", "argumentos incorrectos",             \
      "arguments incorrects", "引数が正しくありません")                                            \
    X(BAD_LINE, "malformed command line", "fehlerhafte Befehlszeile", "línea mal formada",         \
      "ligne mal formée", "コマンド行が正しくありません")                                          \
    X(TOO_LONG, "line too long", "Zeile zu lang", "línea demasiado larga", "ligne trop longue",    \
      "行が長すぎます")                                                                            \
    X(TOO_MANY, "too many errors", "zu viele Fehler", "demasiados errores", "trop d'erreurs",      \
      "エラーが多すぎます")                                                                        \
    X(NO_MESSAGE, "no such message", "keine solche Nachricht", "no existe ese mensaje",            \
      "pas de tel message", "そのメッセージはありません")                                          \
    X(IS_DELETED, "message is deleted", "Nachricht ist gelöscht", "el mensaje está borrado",       \
      "le message est supprimé", "メッセージは削除済みです")                                       \
    X(NO_UID, "no message with this unique-id", "keine Nachricht mit dieser Kennung",              \
      "ningún mensaje con ese identificador", "aucun message avec cet identifiant",                \
      "その識別子のメッセージはありません")                                                        \
    X(READ_ONLY, "mailbox is read-only", "Postfach ist schreibgeschützt",                          \
      "el buzón es de solo lectura", "la boîte est en lecture seule", "読み取り専用です")          \
    X(NEED_TLS, "encryption required", "Verschlüsselung erforderlich", "se requiere cifrado",      \
      "chiffrement requis", "暗号化が必要です")                                                    \
    X(NEED_USER, "send USER first", "zuerst USER senden", "envíe antes USER",                      \
      "envoyez d'abord USER", "先にUSERを送ってください")                                          \
    X(AUTH_FAILED, "authentication failed", "Anmeldung fehlgeschlagen", "autenticación fallida",   \
      "échec de l'authentification", "認証に失敗しました")                                         \
    X(TEMPORARY, "temporarily unavailable", "vorübergehend nicht verfügbar",                       \
      "no disponible por ahora", "temporairement indisponible", "一時的に利用できません")          \
    X(PERMANENT, "not available", "nicht verfügbar", "no disponible", "indisponible",              \
      "利用できません")                                                                            \
    X(IN_USE, "mailbox is in use by another session", "Postfach ist in Gebrauch",                  \
      "el buzón está en uso", "la boîte est utilisée", "メールボックスは使用中です")               \
    X(LOGIN_DELAY, "logged in too recently", "zu kurz nach der letzten Anmeldung",                 \
      "inicio de sesión demasiado reciente", "connexion trop récente",                             \
      "ログインの間隔が短すぎます")                                                                \
    X(POLICY, "not permitted", "nicht gestattet", "no permitido", "non autorisé",                  \
      "許可されていません")                                                                        \
    X(NEED_UTF8, "message needs UTF8 mode", "Nachricht braucht den UTF8-Modus",                    \
      "el mensaje requiere el modo UTF8", "le message exige le mode UTF8",                         \
      "このメッセージにはUTF8モードが必要です")                                                    \
    X(TLS_ACTIVE, "TLS is active already", "TLS ist schon aktiv", "TLS ya está activo",            \
      "TLS est déjà actif", "TLSは既に有効です")                                                   \
    X(NO_MECHANISM, "mechanism not available", "Verfahren nicht verfügbar",                        \
      "mecanismo no disponible", "mécanisme indisponible", "その認証方式は使えません")             \
    X(CANCELLED, "authentication cancelled", "Anmeldung abgebrochen", "autenticación cancelada",   \
      "authentification annulée", "認証を取り消しました")                                          \
    X(BAD_BASE64, "not valid base64", "kein gültiges Base64", "base64 no válido",                  \
      "base64 non valide", "base64が正しくありません")                                             \
    X(NO_INITIAL, "mechanism takes no initial response", "Verfahren ohne Anfangsantwort",          \
      "el mecanismo no admite respuesta inicial", "mécanisme sans réponse initiale",               \
      "初期応答は使えません")                                                                      \
    X(BAD_UTF8, "not acceptable UTF-8", "kein zulässiges UTF-8", "UTF-8 no admisible",             \
      "UTF-8 non recevable", "UTF-8として受け付けられません")                                      \
    X(NO_LANGUAGE, "language not available", "Sprache nicht verfügbar", "idioma no disponible",    \
      "langue indisponible", "その言語は使えません")                                               \
    X(NOT_REMOVED, "some deleted messages not removed", "Nachrichten wurden nicht gelöscht",       \
      "algunos mensajes no se borraron", "des messages n'ont pas été supprimés",                   \
      "削除できなかったメッセージがあります")                                                      \
    X(UNREADABLE, "message cannot be read", "Nachricht ist nicht lesbar",                          \
      "no se puede leer el mensaje", "message illisible", "メッセージを読めません")                \
    X(SHUTDOWN, "server is shutting down", "Server wird beendet", "el servidor se detiene",        \
      "arrêt du serveur", "サーバーを停止します")

enum pop3_text {
#define POP3_TEXT_ENUM(id, en, de, es, fr, ja) TEXT_##id,
    POP3_TEXTS(POP3_TEXT_ENUM)
#undef POP3_TEXT_ENUM
        TEXT_COUNT
};

/* text_get - a text in a language; static. */
struct postern_span text_get(enum language language, enum pop3_text text);

#endif
