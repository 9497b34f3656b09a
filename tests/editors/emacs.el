;; A session in Emacs with eglot, driven by test_emacs.py: each step asks the editor itself, never the server behind it.
;; The answers go to the file $ANSWERS as JSON; what goes wrong is the answer `error`.

(require 'eglot)
(require 'json)

(defvar answers nil)

(defun answer (name value)
  (push (cons name value) answers))

(defun wait-for (what condition)
  (let ((until (+ (float-time) 30)))
    (while (not (funcall condition))
      (when (> (float-time) until) (error "%s did not come" what))
      (accept-process-output nil 0.05)
      ;; What waits for the end of a command, or until Emacs is idle, is due: nobody types in a batch.
      (run-hooks 'post-command-hook)
      (dolist (timer timer-idle-list) (timer-event-handler timer)))))

(defun go-to (words)
  (goto-char (point-min))
  (search-forward words)
  (goto-char (match-beginning 0)))

(defun hover ()
  (let ((shown nil))
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq shown (or text ""))))
    (wait-for "the hover" (lambda () shown))
    (substring-no-properties shown)))

(defun look-again ()
  ;; Flymake asks for marks only in a window that shows them.
  (eglot--signal-textDocument/didChange)
  (flymake-start))

(defun marked ()
  (mapcar (lambda (mark)
            (list (cons 'text (buffer-substring-no-properties (flymake-diagnostic-beg mark) (flymake-diagnostic-end mark)))
                  (cons 'message (flymake-diagnostic-text mark))))
          (flymake-diagnostics)))

(defun session ()
  (find-file (getenv "SCRIPT"))
  (wait-for "the server" #'eglot-current-server)
  (answer 'mode (symbol-name major-mode))

  ;; The tables are looked up in the background: an edit that breaks a name is marked once they are known.
  (go-to "payment_status\").isin")
  (forward-char 8)
  (delete-char 1)
  (wait-for "the diagnostic" (lambda () (look-again) (marked)))
  (answer 'broken (vconcat (marked)))
  (insert "s")
  (wait-for "the end of the diagnostic" (lambda () (look-again) (not (marked))))

  (go-to "dim_loan\"")
  (answer 'table (hover))

  (go-to "created_at\"")
  (let ((before (count-matches "created_at" (point-min) (point-max))))
    (setq eglot-confirm-server-edits nil)
    (eglot-rename "made_at")
    (answer 'renamed (vector before (count-matches "created_at" (point-min) (point-max))
                             (count-matches "made_at" (point-min) (point-max))))))

(condition-case problem
    (session)
  (error (answer 'error (error-message-string problem))))
(with-temp-file (getenv "ANSWERS")
  (insert (json-encode answers)))
(kill-emacs)
