package org.slotwise.engine;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

/**
 * Marks tests that state what DJL's PyTorch engine does, right or wrong, where this library guards
 * against it: docs/djl.md. They call DJL and nothing of this library, unless to show the
 * difference. All of it is still so in DJL 0.36.0. A test that fails with a newer DJL is good news:
 * the behaviour has changed, and the guard can go.
 *
 * <p>The tag lets them run alone, against another DJL: {@code mvn test -P djl-0.35.1
 * -Dgroups=engine}.
 */
@Tag("engine")
@ExtendWith(OnDevice.class)
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface EngineBehaviour {}
