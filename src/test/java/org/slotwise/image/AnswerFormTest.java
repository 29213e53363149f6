package org.slotwise.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerFormTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "application/json | JSON",
                "image/png | PNG",
                "IMAGE/PNG ; Q=0.5 | PNG",
                "*/* | JSON",
                "image/* | PNG",
                "application/* | JSON",
                // The highest quality.
                "image/png;q=0.9, application/json;q=0.8 | PNG",
                "image/png;q=0.1, application/json;q=0.8 | JSON",
                "image/png;q=0.001, application/json;q=0 | PNG",
                // What is named more exactly, where qualities are equal; then what is named first.
                "image/png, */* | PNG",
                "*/*, image/png | PNG",
                "image/*, */* | PNG",
                "image/png, application/json | PNG",
                "application/json, image/png | JSON",
                // An exact refusal goes before a star.
                "*/*, application/json;q=0 | PNG",
                "image/*, image/png;q=0, application/json;q=0.1 | JSON",
                // Parameters, other kinds, empty parts.
                "application/json;charset=utf-8;q=1.000 | JSON",
                "text/html, image/png;q=0.2,, | PNG",
                // What browsers send: for a page, and for a picture in one.
                "text/html,application/xml;q=0.9,image/avif,*/*;q=0.8 | JSON",
                "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5 | PNG",
                "image/avif,image/webp,image/apng,image/*,*/*;q=0.8 | PNG",
            })
    void isWhatIsAskedFor(String accept, AnswerForm form) {
        assertEquals(form, AnswerForm.accepted(accept));
    }

    @Test
    void withoutAcceptItIsJson() {
        assertEquals(AnswerForm.JSON, AnswerForm.accepted(null));
        assertEquals(AnswerForm.JSON, AnswerForm.accepted(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "text/html",
                "image/jpeg",
                "*/*;q=0",
                "image/png;q=0, application/json;q=0.000",
                "application/json;q=2",
                "application/json;q=-1",
                "application/json;q=NaN",
                "application/json;q=",
                "application",
                "*/json",
                "application/jsonp",
                "json png",
                ",,,",
                ";q=1",
            })
    void whatIsNeitherIsRefused(String accept) {
        assertNull(AnswerForm.accepted(accept));
    }
}
