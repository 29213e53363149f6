package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepRowsTest {

    @TempDir Path folder;

    @Test
    void goesOnAfterAStep() throws IOException {
        Path file = folder.resolve("h.csv");
        StepRows rows = new StepRows(file, List.of("loss", "ari"), 0);
        rows.add(1, 0.5, Double.NaN);
        rows.add(2, 1e-7, -1);
        rows.add(3, 3, 3);
        Files.writeString(file, Files.readString(file) + "4,1");
        assertEquals(
                "step,loss,ari\n1,0.500000,\n2,1.00000e-07,-1.00000\n3,3.00000,3.00000\n4,1",
                Files.readString(file));
        StepRows later = new StepRows(file, List.of("loss", "ari"), 2);
        later.add(3, 4, 4);
        assertEquals(
                List.of(
                        "step,loss,ari",
                        "1,0.500000,",
                        "2,1.00000e-07,-1.00000",
                        "3,4.00000,4.00000"),
                Files.readAllLines(file));
        assertThrows(IllegalArgumentException.class, () -> later.add(4, 1));
        new StepRows(file, List.of("loss", "ari"), 0);
        assertEquals(List.of("step,loss,ari"), Files.readAllLines(file));
        new StepRows(null, List.of("loss"), 0).add(1, 2);
    }
}
