;;; A session with Emacs' jsonrpc.el, on headers.  -*- lexical-binding: t -*-
;; The daemon's pipe is in UMEM_PIPE, or the command that carries to it in UMEM_CARRIER.
;; emacs -Q --batch -l emacs.el

(require 'jsonrpc)

(defvar heard nil "The notifications that came, the last one first.")

(defun open-pipe ()
  "A process object that is a connection to the daemon."
  (let ((carrier (getenv "UMEM_CARRIER")))
    (if carrier
        (make-process :name "umemd" :connection-type 'pipe :coding 'utf-8-emacs-unix :noquery t
                      :stderr (get-buffer-create "*umemd stderr*") ; jsonrpc.el looks for a buffer of this name
                      :command (append (json-parse-string carrier) nil))
      (make-network-process :name "umemd" :family 'local :service (getenv "UMEM_PIPE")
                            :coding 'utf-8-emacs-unix))))

(defvar umemd
  (jsonrpc-process-connection
   :name "umemd" :process #'open-pipe
   :notification-dispatcher (lambda (_connection method params) (push (list method params) heard))))

(defun call (method params)
  (jsonrpc-request umemd method params :timeout 60))

(defun expect (what found wanted)
  (unless (equal found wanted)
    (error "%s: expected %S, found %S" what wanted found))
  (message "ok: %s" what))

(defun refusal (method params)
  "The code and the name of the error that METHOD is answered with."
  (condition-case failure
      (progn (call method params) nil)
    (jsonrpc-error
     (let ((facts (cdr failure)))
       (list (alist-get 'jsonrpc-error-code facts)
             (plist-get (alist-get 'jsonrpc-error-data facts) :name))))))

(expect "a ping" (call 'server.ping nil) nil)
(let* ((block (plist-get (call 'block.alloc '(:size 8 :lifetime "session")) :block)))
  (expect "a write" (call 'block.write `(:block ,block :data "größer" :encoding "utf8")) '(:size 8))
  (expect "a read by position" (plist-get (call 'block.read `[,block 0 8 "utf8"]) :data) "größer")
  (expect "an error" (refusal 'block.read `(:block ,block :offset 6 :size 4)) '(-32003 "out_of_range"))
  (expect "another" (refusal 'block.frobnicate nil) '(-32601 "method_not_found"))
  (jsonrpc-notify umemd 'block.set `(:block ,block :offset 0 :values [7 8]))
  (expect "a notification" (call 'block.get `(:block ,block :offset 0 :count 2)) '(:values [7 8]))
  (let ((watch (plist-get (call 'session.watch `(:block ,block)) :watch)))
    (call 'block.set `(:block ,block :offset 3 :values [1 2]))
    ;; jsonrpc.el leaves its filter at an answer that it waits for: what came with it is looked at when more comes.
    (call 'server.ping nil)
    (expect "what the daemon says unasked" heard
            `((block.changed (:watch ,watch :block ,block :offset 3 :size 2)))))
  (let ((answers nil))
    (dotimes (offset 4)
      (jsonrpc-async-request umemd 'block.get `(:block ,block :offset ,offset)
                             :success-fn (lambda (result) (push (aref (plist-get result :values) 0) answers))))
    (expect "the last of five under way" (call 'block.free `(:block ,block)) '(:size 8))
    (expect "the others" (nreverse answers) '(7 8 ?\xc3 1)))
  (expect "a handle that is gone" (refusal 'block.free `(:block ,block)) '(-32002 "stale_handle")))
(jsonrpc-shutdown umemd)
