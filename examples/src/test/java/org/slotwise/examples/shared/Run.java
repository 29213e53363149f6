package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/**
 * A run of a program.
 *
 * @param exitCode its exit code
 * @param out what it printed
 * @param err what it complained about
 */
public record Run(int exitCode, String out, String err) {

    /** Runs a program. */
    public static Run of(Object program, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command =
                Program.of(program).setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int exitCode = Program.run(command, args);
        command.getOut().flush();
        return new Run(exitCode, out.toString(), err.toString());
    }

    /** Requires success without a complaint. */
    public Run succeeds() {
        assertEquals("", err);
        assertEquals(0, exitCode);
        return this;
    }

    /** Requires success, whatever progress was told on the way. */
    public Run ends() {
        assertFalse(err.contains("error"), err);
        assertEquals(0, exitCode, err);
        return this;
    }

    /** Requires an exit code and a complaint of one line that says certain things. */
    public Run fails(int expected, String... says) {
        assertEquals(expected, exitCode, err);
        String[] lines = err.strip().split("\\R");
        assertEquals(expected == 2 ? 2 : 1, lines.length, err);
        assertTrue(lines[0].startsWith("error: "), err);
        for (String part : says) {
            assertTrue(lines[0].contains(part), () -> "\"" + part + "\" is missing in: " + err);
        }
        assertFalse(lines[0].contains("Exception"), err);
        assertEquals("", out);
        return this;
    }
}
