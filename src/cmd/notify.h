/* Tells systemd how the start and reloads go (sd_notify(3)), by its own protocol. */
#ifndef CMD_NOTIFY_H
#define CMD_NOTIFY_H

/** Sends lines such as "READY=1" to $NOTIFY_SOCKET; does nothing where there is none. */
void notify_send(const char *lines);
/** "RELOADING=1" with the time that Type=notify-reload wants. */
void notify_reloading(void);

#endif
